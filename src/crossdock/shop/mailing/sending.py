"""One call of the SMTP server, as the delivery engine makes it."""

from crossdock.kit.mail import Mail, Mailer, Rejected, Undelivered
from crossdock.shop.deliveries import Call, Permanent, Retryable, Sent


def mail_call(mailer: Mailer, mail: Mail) -> Call:
    """The call that sends this mail."""

    async def call() -> Sent:
        try:
            return Sent(external_id=mail.id, answer=await mailer.send(mail))
        except Rejected as error:
            raise Permanent(str(error), status=error.code) from error
        except Undelivered as error:
            raise Retryable(str(error), status=error.code) from error

    return call
