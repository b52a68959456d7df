"""A web server of tests that does not report clients that break off; other tests would take that for their output."""

from http.server import ThreadingHTTPServer


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass
