"""Beat's scheduler with a changed clock. It misses nothing, sends nothing twice, and skips invalid rows."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from celery.signals import before_task_publish
from django.db import DatabaseError
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu.utils import symbol_by_name

from mlops.models import Alert
from mlops.next_run import next_run
from mlops.scheduler import Entry, Scheduler
from mlops.services import ensure_schedules
from tests.mlops.schedule_rows import make, odd_rows

__all__ = ["odd_rows"]

DAILY = ("train-model", "sync-tmdb", "prune")  # at 03:00, 02:30 and 04:30
HOUR = timedelta(hours=1)
SPRING, AUTUMN = date(2026, 3, 28), date(2026, 10, 24)  # the days before the clocks change in Europe


class Site:
    """A machine with Beat that is switched on and off, and the times of what it sent, by schedule."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.sent: list[tuple[str, datetime]] = []

    def record(self, headers: dict, **event: object) -> None:
        self.sent.append((headers["periodic_task_name"], self.now))

    def times(self, name: str) -> list[datetime]:
        return [at for sent, at in self.sent if sent == name]

    def days(self, name: str, zone: ZoneInfo) -> Counter[date]:
        return Counter(at.astimezone(zone).date() for at in self.times(name))

    def run(self, begin: datetime, end: datetime) -> Scheduler:
        """Starts Beat and ends it as a power cut does: nothing is saved at the end."""
        self.now = begin.astimezone(UTC)
        scheduler = Scheduler(current_app._get_current_object(), max_interval=3600)
        scheduler._finalize.cancel()
        self.go_on(scheduler, end)
        return scheduler

    def go_on(self, scheduler: Scheduler, end: datetime) -> None:
        while self.now < end:
            self.now += timedelta(seconds=max(scheduler.tick(), 0.1))


@pytest.fixture
def site(transactional_db, monkeypatch) -> Iterator[Site]:
    site = Site()

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return site.now.astimezone(tz) if tz else site.now.replace(tzinfo=None)

    monkeypatch.setattr(timezone, "now", lambda: site.now)
    monkeypatch.setattr("django_celery_beat.tzcrontab.datetime", Moved)
    beat = SimpleNamespace(datetime=Moved, timedelta=timedelta)
    monkeypatch.setattr("django_celery_beat.schedulers.datetime", beat)
    before_task_publish.connect(site.record)
    yield site
    before_task_publish.disconnect(site.record)


@pytest.fixture
def schedules(site) -> Callable[..., None]:
    """Makes the policy's daily schedules in a time zone, as of noon two days before."""

    def make(zone: str, day: date) -> None:
        site.now = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(days=2)
        ensure_schedules()
        PeriodicTask.objects.exclude(name__in=DAILY).delete()
        CrontabSchedule.objects.update(timezone=zone)

    return make


def test_beat_is_started_with_this_scheduler():
    assert symbol_by_name(current_app.conf.beat_scheduler) is Scheduler


@pytest.mark.once
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Ho_Chi_Minh"])
@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_four_days_of_a_machine_that_is_on_from_9_to_18(site, schedules, zone, first):
    schedules(zone, first)
    local, days = ZoneInfo(zone), [first + timedelta(days=n) for n in range(4)]

    for day in days:
        begin = datetime(day.year, day.month, day.day, 9, tzinfo=local)
        site.run(begin, begin + 9 * HOUR)

    for name in DAILY:
        assert site.days(name, local) == Counter(days), name
        assert {at.astimezone(local).strftime("%H:%M") for at in site.times(name)} == {"09:00"}


@pytest.mark.once
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Ho_Chi_Minh"])
@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_clock_changes_neither_skip_nor_double(site, schedules, zone, first):
    schedules(zone, first)
    local, days = ZoneInfo(zone), [first + timedelta(days=n) for n in range(4)]
    begin = datetime(first.year, first.month, first.day, tzinfo=local).astimezone(UTC)

    site.run(begin - 30 * HOUR, begin)
    site.sent.clear()
    site.run(begin, begin + timedelta(days=4, hours=-2))

    for name in DAILY:
        assert site.days(name, local) == Counter(days), name


def test_a_missed_night_is_made_up_for_once(site, schedules):
    schedules("UTC", SPRING)
    day = datetime(2026, 3, 28, tzinfo=UTC)
    site.run(day - timedelta(days=1), day - 6 * HOUR)
    site.sent.clear()

    site.run(day + timedelta(days=1, hours=1), day + timedelta(days=1, hours=2))  # and cut off again
    site.run(day + timedelta(days=1, hours=2), day + timedelta(days=3, hours=5))

    times = [at.strftime("%d %H:%M") for at in site.times("train-model")]
    assert times == ["29 01:00", "30 03:00", "31 03:00"]


def test_a_time_in_the_evening_that_is_never_reached(site):
    site.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    make("evening", "30 18 * * *")

    for day in range(2, 6):
        site.run(datetime(2026, 3, day, 9, tzinfo=UTC), datetime(2026, 3, day, 18, tzinfo=UTC))

    assert [at.hour for at in site.times("evening")] == [9, 9, 9, 9]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_stays_overdue_or_is_sent_twice_a_day(site, schedules, seed):
    zone = ("Europe/Berlin", "Asia/Ho_Chi_Minh")[seed % 2]
    schedules(zone, SPRING)
    rng, at = Random(seed), datetime(2026, 3, 27, tzinfo=UTC)

    for _ in range(8):
        at += rng.uniform(0.1, 20) * HOUR
        site.run(at, at := at + rng.uniform(0.1, 10) * HOUR)
        assert not [row for row in PeriodicTask.objects.filter(enabled=True) if next_run(row, site.now) < site.now]

    assert site.sent
    for name in DAILY:
        assert set(site.days(name, ZoneInfo(zone)).values()) == {1}, name


def test_the_next_time_shown_is_when_beat_sends_it(site, schedules):
    schedules("Europe/Berlin", SPRING)
    make("hourly", "5 * * * *")
    make("every 55 min", interval=IntervalSchedule.objects.create(every=55, period="minutes"))
    begin = datetime(2026, 3, 28, 0, 2, tzinfo=UTC)
    scheduler = site.run(begin, begin + timedelta(minutes=10))
    shown = {row.name: next_run(row, site.now) for row in PeriodicTask.objects.exclude(name__startswith="celery.")}
    site.sent.clear()

    site.go_on(scheduler, begin + timedelta(days=1, hours=6))

    for name, at in shown.items():
        assert abs(site.times(name)[0] - at) < timedelta(seconds=2), name


def test_a_start_just_before_the_hour_doubles_nothing(site):
    site.now = datetime(2026, 3, 1, 6, tzinfo=UTC)
    make("hourly", "5 * * * *")
    make("each 10 min", "*/10 * * * *")

    site.run(datetime(2026, 3, 1, 10, 4, tzinfo=UTC), datetime(2026, 3, 1, 12, 1, tzinfo=UTC))

    assert [f"{at:%H:%M}" for at in site.times("hourly")] == ["10:04", "11:05"]
    assert len(site.times("each 10 min")) == 13


def test_a_clock_that_is_set_back_stops_nothing(site):
    site.now = datetime(2026, 3, 1, 6, tzinfo=UTC)
    make("pulse", interval=IntervalSchedule.objects.create(every=60, period="seconds"))
    scheduler = site.run(site.now, site.now + timedelta(minutes=10))
    site.sent.clear()

    site.now -= HOUR
    site.go_on(scheduler, site.now + timedelta(minutes=10))

    assert 9 <= len(site.times("pulse")) <= 11


def test_rows_that_cannot_be_built_are_skipped_and_said(site, odd_rows, caplog):
    site.now = datetime(2026, 3, 1, 6, tzinfo=UTC)
    make("good", "0 7 * * *")

    site.run(site.now, site.now + 2 * HOUR)

    assert [name for name, _ in site.sent] == ["good"]
    [alert] = Alert.objects.filter(closed_at=None)
    assert {finding["params"]["schedule"] for finding in alert.findings} == set(odd_rows)
    assert "schedule weekday 7 is skipped: day_of_week: " in caplog.text
    assert PeriodicTask.objects.filter(name__in=odd_rows, enabled=True).count() == len(odd_rows)

    PeriodicTask.objects.filter(name__in=odd_rows).delete()
    site.run(site.now, site.now + timedelta(minutes=1))
    assert not Alert.objects.filter(closed_at=None).exists()


def test_what_was_sent_while_the_database_refused_is_saved_later(site, monkeypatch):
    site.now = datetime(2026, 3, 1, 6, tzinfo=UTC)
    row = make("daily", "0 7 * * *")
    save = Entry.save

    def refuse(entry: Entry) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(Entry, "save", refuse)
    scheduler = site.run(site.now, site.now + timedelta(minutes=61))
    monkeypatch.setattr(Entry, "save", save)
    site.go_on(scheduler, site.now + 2 * HOUR)

    row.refresh_from_db()
    assert row.total_run_count == len(site.sent) == 1
