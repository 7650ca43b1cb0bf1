"""Keeps workers with a Redis broker working after a failed acknowledgement.

Workers import this module (CELERY_IMPORTS).
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Frees a message's prefetch slot even if acknowledging it to Redis fails.

    Celery only logs such a failure, and kombu would count the message as unfinished forever. A worker with a prefetch
    limit of one message would then take no more.
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
