select timezone from traffic.platform
