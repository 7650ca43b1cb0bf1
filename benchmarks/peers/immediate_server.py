"""A server that returns the same bytes immediately, to measure the maximum load of the generator."""

from __future__ import annotations

import select
import socket
import sys

BODY = b"x" * 6000  # about as long as a list of ten movies
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


def main(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll, clients = select.epoll(), dict[int, socket.socket]()
    poll.register(listener, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif clients[number].recv(1 << 16):  # requests are small, so each arrives in one piece
                clients[number].sendall(ANSWER)
            else:
                poll.unregister(number)
                clients.pop(number).close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
