"""The demo's web shops: one that accepts repeated salts, as clients of this API send, and one that does not."""

from crossdock.channels.contract import Demo, DemoPartner


def _show(key: str, secret: str) -> dict[str, object]:
    return {"shopid": int(key), "shop_key": secret}


def _show_sample(variant_id: int) -> dict[str, object]:
    return {"sku": variant_id}


DEMO = Demo(
    partners=(
        DemoPartner(name="Demo web shop"),
        DemoPartner(
            name="Demo web shop with replay cache",
            prefix="replay_",
            settings={"replay_cache": True},
        ),
    ),
    show=_show,
    show_sample=_show_sample,
)
