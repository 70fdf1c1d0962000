"""What the desk counts about itself, for /metrics."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ABOUT = ("timers", "clocks", "pings", "overdue", "duty")
"""What the auditor looks at."""


class Metrics:
    """Counters of one running desk; no label carries a person's words or name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received = Counter(
            "deskbridge_inbound_total", "Events committed to the inbox", ["platform"], registry=self.registry
        )
        self._repeated = Counter(
            "deskbridge_duplicates_total", "Events told twice", ["platform"], registry=self.registry
        )
        self._handled = Counter(
            "deskbridge_handled_total", "Events handled", ["platform"], registry=self.registry
        )
        self._parked = Counter(
            "deskbridge_dead_letters_total", "Events and parcels given up", ["from"], registry=self.registry
        )
        self._sent = Counter(
            "deskbridge_outbound_total", "Parcels delivered", ["platform"], registry=self.registry
        )
        self._retried = Counter(
            "deskbridge_retries_total", "Deliveries to be tried again", ["platform"], registry=self.registry
        )
        self._fired = Counter("deskbridge_timers_total", "Timers fired", ["kind"], registry=self.registry)
        self._late = Histogram(
            "deskbridge_timer_lateness_seconds", "How late timers fired", registry=self.registry
        )
        self.ready = Gauge("deskbridge_ready", "1 while every component is well", registry=self.registry)

        self.replicas = Gauge(
            "deskbridge_replicas", "Processes that serve the database", registry=self.registry
        )
        self._audit()

    def _audit(self) -> None:
        """What the auditor tells: gauges of its newest pass."""
        registry = self.registry
        self._audit_tickets = Gauge(
            "deskbridge_audit_tickets", "Unclosed tickets of the newest audit", registry=registry
        )
        self._audit_seconds = Gauge(
            "deskbridge_audit_seconds", "How long the newest audit took", registry=registry
        )
        self._audit_found = Gauge(
            "deskbridge_audit_findings", "What the newest audit found wrong", ["about"], registry=registry
        )
        self._audit_left = Gauge(
            "deskbridge_audit_unmended",
            "What the newest audit could not put right",
            ["about"],
            registry=registry,
        )
        self._audit_at = Gauge(
            "deskbridge_audit_finished_timestamp_seconds", "When the newest audit ended", registry=registry
        )
        self._audit_clean = Gauge(
            "deskbridge_audit_clean", "1 while the newest audit is clean", registry=registry
        )
        self._beats = Counter("deskbridge_heartbeats_total", "Heartbeats sent", ["taken"], registry=registry)

    def audit_pass(
        self, seen: int, seconds: float, *, found: Mapping[str, int], left: Mapping[str, int]
    ) -> None:
        self._audit_tickets.set(seen)
        self._audit_seconds.set(seconds)
        for about in ABOUT:
            self._audit_found.labels(about).set(found.get(about, 0))
            self._audit_left.labels(about).set(left.get(about, 0))

    def audited(self, at: datetime, *, clean: bool) -> None:
        self._audit_at.set(at.timestamp())
        self._audit_clean.set(clean)

    def beat(self, *, taken: bool) -> None:
        self._beats.labels(str(taken).lower()).inc()

    def received(self, platform: str, fresh: int, repeated: int) -> None:
        self._received.labels(platform).inc(fresh)
        self._repeated.labels(platform).inc(repeated)

    def handled(self, platform: str) -> None:
        self._handled.labels(platform).inc()

    def parked(self, where: str) -> None:
        self._parked.labels(where).inc()

    def sent(self, platform: str) -> None:
        self._sent.labels(platform).inc()

    def retried(self, platform: str) -> None:
        self._retried.labels(platform).inc()

    def fired(self, kind: str, late: float) -> None:
        self._fired.labels(kind).inc()
        self._late.observe(max(late, 0.0))
