delete from traffic.reading_counts where start >= %(lower)s and start < %(upper)s
