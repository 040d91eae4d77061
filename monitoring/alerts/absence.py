"""What can be said of a component whose targets are gone, and can answer no scrape any more."""

from monitoring.recording import COMPONENT, TARGETS

REMEMBERED = "6h"
"""How long it is known that there was one."""

GONE = f"""(
  group by ({COMPONENT}) (present_over_time(up{TARGETS}[{REMEMBERED}]))
  unless on ({COMPONENT}) up{TARGETS}
)"""

AT_ZERO = "min_over_time(component:autoscaled_pods:max[5m]) == 0"
"""Now, or so shortly before that its first pods may still start."""
