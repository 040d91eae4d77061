"""How near to their limits are the servers, their containers and the autoscaler?"""

from monitoring.grafana import cluster, limits
from monitoring.grafana.board import board
from monitoring.grafana.grid import row
from monitoring.grafana.panels import Query, heatmap, percentiles, stat, timeseries
from monitoring.grafana.promql import mean, quantile, rate, series, total

IN_FLIGHT = "classifier_in_flight_requests"
IN_FLIGHT_LIMIT = "classifier_in_flight_limit_requests"
QUEUE = "classifier_queue_depth_images"
QUEUE_LIMIT = "classifier_queue_limit_images"
BATCH = "classifier_batch_size_images"
WAIT = "classifier_batch_wait_seconds"
LAG = "classifier_event_loop_lag_seconds"
CPU = f"rate({series('process_cpu_seconds_total')}[$__rate_interval]) / {series('classifier_cpu_limit_cores')}"
MEMORY = f"{series('process_resident_memory_bytes')} / {series('classifier_memory_limit_bytes')}"
PROCESS = "{{component}} {{pod}}"
SHED = rate("classifier_requests_total", 'code="overloaded"')


BOARD = board(
    "saturation",
    "Saturation and scaling",
    "Queues, batches, resources and the autoscaler, beside their limits.",
    row(
        "Now",
        stat(
            "In flight, of limit",
            "percentunit",
            "The fullest server's requests in flight, of those it admits: classifier_in_flight_requests and "
            "classifier_in_flight_limit_requests.",
            Query(f"max({series(IN_FLIGHT)} / {series(IN_FLIGHT_LIMIT)})"),
            limits=limits.FULL,
        ),
        stat(
            "Queue, of limit",
            "percentunit",
            "The fullest predictor's queue, of what it may hold: classifier_queue_depth_images and "
            "classifier_queue_limit_images.",
            Query(f"max({series(QUEUE)} / {series(QUEUE_LIMIT)})"),
            limits=limits.FULL,
        ),
        stat(
            "Shed",
            "reqps",
            "Requests refused for load, by either server: classifier_requests_total of the code overloaded.",
            Query(f"{SHED} or vector(0)"),
            limits={0.01: "red"},
        ),
        stat(
            "CPU, of limit",
            "percentunit",
            "The busiest process: process_cpu_seconds_total and classifier_cpu_limit_cores.",
            Query(f"max({CPU})"),
            limits=limits.CPU,
        ),
        stat(
            "Memory, of limit",
            "percentunit",
            "The largest process: process_resident_memory_bytes and classifier_memory_limit_bytes.",
            Query(f"max({MEMORY})"),
            limits=limits.MEMORY,
        ),
        stat(
            "Last start",
            "dtdurations",
            "Since when the youngest process runs: process_start_time_seconds.",
            Query(f"time() - max({series('process_start_time_seconds')})"),
            limits={600: "green"},
            base="yellow",
        ),
    ),
    row(
        "Queues and batches",
        timeseries(
            "Requests in flight",
            "none",
            "Requests that were admitted and are not answered, and over how many one more is refused, of all pods "
            "together: classifier_in_flight_requests and classifier_in_flight_limit_requests.",
            Query(total(IN_FLIGHT, by="component"), "{{component}}"),
            Query(total(IN_FLIGHT_LIMIT, by="component"), "{{component}} limit"),
        ),
        timeseries(
            "Images that wait for the engine",
            "none",
            "And how many may, of all pods together: classifier_queue_depth_images and classifier_queue_limit_images.",
            Query(total(QUEUE), "waiting"),
            Query(total(QUEUE_LIMIT), "limit"),
        ),
        timeseries(
            "Photos that wait to be decoded",
            "none",
            "In all transformers: classifier_decode_queue_depth_images.",
            Query(total("classifier_decode_queue_depth_images"), "waiting"),
        ),
        timeseries(
            "Batch size",
            "none",
            "Images that the engine gets at once: classifier_batch_size_images.",
            Query(mean(BATCH), "mean"),
            *percentiles(BATCH, of=(0.5, 0.95)),
        ),
        timeseries(
            "Wait for a batch",
            "s",
            "Time that the oldest request of each batch waited for it: classifier_batch_wait_seconds.",
            *percentiles(WAIT),
        ),
        timeseries(
            "Failures under load",
            "ops",
            "Refused and overdue requests by server, and batches that the engine failed to run: "
            "classifier_requests_total and classifier_batch_failures_total.",
            Query(
                rate("classifier_requests_total", 'code=~"overloaded|deadline_exceeded"', by="code, component"),
                "{{component}} {{code}}",
            ),
            Query(rate("classifier_batch_failures_total"), "failed batches"),
        ),
        heatmap("Batch size distribution", "none", BATCH),
        heatmap(
            "Event loop lag",
            "s",
            LAG,
            description="How late the event loop came back, of both servers: classifier_event_loop_lag_seconds by its "
            "buckets.",
        ),
    ),
    row(
        "Processes",
        timeseries(
            "CPU",
            "percentunit",
            "Of the cores that each process may use: process_cpu_seconds_total and classifier_cpu_limit_cores; over "
            "80 % for 10 minutes an alert fires.",
            Query(CPU, PROCESS),
            limits=limits.CPU,
        ),
        timeseries(
            "Memory",
            "percentunit",
            "Of what each process may have: process_resident_memory_bytes and classifier_memory_limit_bytes; over "
            "85 % for 10 minutes an alert fires.",
            Query(MEMORY, PROCESS),
            limits=limits.MEMORY,
        ),
        timeseries(
            "Memory, absolute",
            "bytes",
            "process_resident_memory_bytes of each process.",
            Query(series("process_resident_memory_bytes"), PROCESS),
        ),
        timeseries(
            "Open files",
            "percentunit",
            "Of the file descriptors that each process may open: process_open_fds and process_max_fds.",
            Query(f"{series('process_open_fds')} / {series('process_max_fds')}", PROCESS),
            limits=limits.FULL,
        ),
        timeseries(
            "Event loop lag, p99",
            "s",
            "By server: classifier_event_loop_lag_seconds.",
            Query(quantile(0.99, LAG, by="component"), "{{component}}"),
        ),
        timeseries(
            "Garbage collections",
            "ops",
            "Of Python's three generations: python_gc_collections_total.",
            Query(rate("python_gc_collections_total", by="component, generation"), "{{component}} {{generation}}"),
        ),
    ),
    cluster.AUTOSCALING,
    cluster.CONTAINERS,
)
