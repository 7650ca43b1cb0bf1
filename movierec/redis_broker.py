"""Redis as the broker: a worker goes on after Redis missed an acknowledgement. Workers import this (CELERY_IMPORTS)."""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Frees a message's place also where Redis does not answer its acknowledgement.

    Celery logs that and goes on, but kombu would count the message for good: a worker that may hold one takes no more.
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
