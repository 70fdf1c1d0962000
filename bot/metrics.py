"""What the desk counts about itself, for /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


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
