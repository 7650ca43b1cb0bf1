"""Redis as the broker: a worker keeps taking tasks after Redis missed an acknowledgement.

Workers import this (CELERY_IMPORTS).
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Frees a message's place also where Redis does not answer its acknowledgement.

    Celery only logs that. kombu would count the message as unfinished for good, so that a worker that may hold one
    message takes no more.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


redis.Channel.QoS = QoS
