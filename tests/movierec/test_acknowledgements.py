"""A Redis that does not respond to an acknowledgement."""

import uuid

import pytest
from kombu.transport import redis

from movierec import redis_broker
from movierec.celery import app


@pytest.mark.services
@pytest.mark.cache
@pytest.mark.parametrize("end", ["ack", "reject"])
def test_a_message_frees_its_place_though_redis_hears_of_no_end(end, monkeypatch):
    assert redis.Channel.QoS is redis_broker.QoS
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue(f"test-{uuid.uuid4().hex}")
        queue.consumer.qos(prefetch_count=1)
        queue.put("a task")
        message = queue.get(timeout=10)
        assert not message.channel.qos.can_consume()

        with monkeypatch.context() as hung:
            hung.setattr(redis.QoS, "_remove_from_indices", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                getattr(message, end)()

        assert message.channel.qos.can_consume()
        queue.close()
