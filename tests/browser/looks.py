"""What a careful eye measures on a page: widths and colour contrast (WCAG 2.2, 1.4.3)."""

from playwright.async_api import Page

_CONTRAST = """
() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const kept = (read, known = new Map()) => (key) => {
    if (!known.has(key)) known.set(key, read(key));
    return known.get(key);
  };
  const rgba = kept((colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  });
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
  const background = kept((element) => {
    if (!element) return [255, 255, 255];
    return over(rgba(getComputedStyle(element).backgroundColor), background(element.parentElement));
  });
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const below = background(element);
    const [a, b] = [light(over(rgba(style.color), below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const text = walker.currentNode.textContent.trim().slice(0, 40);
    if (ratio < (large ? 3 : 4.5))
      found.push(`${ratio.toFixed(2)} ${style.color} ${element.tagName}.${element.className}: ${text}`);
  }
  return [...new Set(found)];
}
"""


async def weak_contrasts(page: Page) -> list[str]:
    """Every visible text whose contrast is below 4.5 (3 for large text)."""
    return list(await page.evaluate(_CONTRAST))


async def overflow_px(page: Page) -> int:
    """How much wider the page is than the window."""
    return int(
        await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


async def tab_stops(page: Page, *, count: int) -> list[str]:
    """What the first `count` presses of Tab reach, as visible text, label or address."""
    stops = []
    for _ in range(count):
        await page.keyboard.press("Tab")
        stops.append(
            str(
                await page.evaluate(
                    "(() => { const e = document.activeElement; return e.id || e.textContent.trim()"
                    " || e.getAttribute('aria-label') || e.tagName })()"
                )
            )
        )
    return stops


async def table_widths(page: Page) -> list[tuple[int, int, int]]:
    """(columns, width, width of what can be seen without scrolling) of every table of a guide."""
    found = await page.evaluate(
        "[...document.querySelectorAll('.scroll')].map((region) =>"
        " [region.querySelectorAll('th').length, region.scrollWidth, region.clientWidth])"
    )
    return [(columns, width, seen) for columns, width, seen in found]
