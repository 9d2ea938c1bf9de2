# The start: as many descriptors as we may have, the ready mark, and the loop.
try:
    import resource  # not in Debian's python3-minimal: a `ulimit -n` before the bootstrap helps there

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
except (ImportError, ValueError, OSError):
    pass
room = max(1, os.sysconf("SC_OPEN_MAX") - OWN_DESCRIPTORS)
pending, heard = b"", time.monotonic()
end_if_alone()
os.set_blocking(1, False)
handlers[0], handlers[1] = on_stdin, on_stdout
epoll.register(0, select.EPOLLIN)
epoll.register(1, 0)
output.extend(b"\nFLOWPROOF-1 python uid=%d \n" % os.getuid())
run()
