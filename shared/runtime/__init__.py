"""What every process needs before it does anything: settings, time, ids, logs, traces, tasks that are watched."""
