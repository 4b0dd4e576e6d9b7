/* epoll.c: many cameras in the host's own epoll loop, on one thread: vigie_session does no IO, the host owns sockets and clock.
 *
 *     cc epoll.c $(pkg-config --cflags --libs vigie) -o epoll
 *     ./epoll CAMERAS SECONDS FOLDER rtsp://127.0.0.1:8554/cam [rtsp://...]
 *
 * Camera n takes the n-th address, round and round, and is written to FOLDER/n.mp4 ("-": counted, and not written). At the end
 * a line of JSON says what each camera cost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <vigie/session.h>

typedef struct camera {
    vigie_session *session;
    int epoll, socket, out, open;
    uint64_t due; /* the session's next timeout */
    char *unsent; /* what the connection did not take yet */
    size_t unsent_len;
    unsigned long pictures, fragments, bytes;
} camera;

static uint64_t micros(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Opens a connection to the host and port of an address; blocks, which a real host would not. */
static int dial(const char *url) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    const char *at = strchr(host, '@'), *slash = strchr(host, '/');
    if (at && (!slash || at < slash))
        host = at + 1;
    char name[256], port[8] = "554";
    size_t n = strcspn(host, ":/");
    snprintf(name, sizeof name, "%.*s", (int)n, host);
    if (host[n] == ':')
        snprintf(port, sizeof port, "%.*s", (int)strcspn(host + n + 1, "/"), host + n + 1);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(name, port, &hints, &found) != 0)
        return -1;
    int s = -1;
    for (struct addrinfo *a = found; a && s < 0; a = a->ai_next) {
        s = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (s >= 0 && connect(s, a->ai_addr, a->ai_addrlen) != 0)
            close(s), s = -1;
    }
    freeaddrinfo(found);
    if (s >= 0)
        fcntl(s, F_SETFL, O_NONBLOCK);
    return s;
}

static void put(camera *c, const vigie_piece *piece) {
    c->pictures += piece->samples;
    c->fragments += piece->kind == VIGIE_PIECE_FRAGMENT;
    for (size_t i = 0; i < piece->slice_count; i++)
        c->bytes += piece->slices[i].len;
    /* vigie_slice is laid out as struct iovec is. */
    for (size_t i = 0; c->out >= 0 && i < piece->slice_count; i += 1024) {
        size_t n = piece->slice_count - i < 1024 ? piece->slice_count - i : 1024;
        if (writev(c->out, (const struct iovec *)(piece->slices + i), (int)n) < 0) {
            fprintf(stderr, "epoll: cannot write: %s\n", strerror(errno));
            exit(1);
        }
    }
}

/* Sends what there is; what the connection does not take waits until it does. */
static void flush(camera *c, const void *bytes, size_t len) {
    if (len > 0) {
        char *more = realloc(c->unsent, c->unsent_len + len);
        if (!more)
            abort();
        memcpy(more + c->unsent_len, bytes, len);
        c->unsent = more;
        c->unsent_len += len;
    }
    size_t waited = c->unsent_len - len;
    ssize_t n = c->unsent_len ? send(c->socket, c->unsent, c->unsent_len, MSG_NOSIGNAL) : 0;
    if (n > 0) {
        c->unsent_len -= (size_t)n;
        memmove(c->unsent, c->unsent + n, c->unsent_len);
    }
    if (!waited != !c->unsent_len) {
        struct epoll_event wanted = {.events = EPOLLIN | (c->unsent_len ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};
        epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->socket, &wanted);
    }
}

/* Minds all that the session has to say. 0: the session is over. */
static int drain(camera *c) {
    vigie_event event = {.struct_size = sizeof event};
    vigie_result result;
    while ((result = vigie_session_pull(c->session, &event)) == VIGIE_OK)
        switch (event.kind) {
        case VIGIE_EVENT_SEND:
            flush(c, event.bytes, event.len);
            break;
        case VIGIE_EVENT_PIECE:
            put(c, &event.piece);
            break;
        case VIGIE_EVENT_FAILED:
            fprintf(stderr, "epoll: %s\n", event.text);
            return 0;
        case VIGIE_EVENT_CLOSE:
            return 0;
        }
    if (vigie_session_next_timeout(c->session, &c->due) != VIGIE_OK)
        c->due = UINT64_MAX;
    return result == VIGIE_AGAIN;
}

/* Reads what has come, straight into the session's buffer. */
static int receive(camera *c) {
    uint8_t *room;
    size_t len;
    if (vigie_session_buffer(c->session, &room, &len) != VIGIE_OK || len == 0)
        return drain(c);
    ssize_t n = recv(c->socket, room, len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    uint64_t now = micros(CLOCK_MONOTONIC);
    if (n <= 0)
        vigie_session_closed(c->session, now);
    else
        vigie_session_received(c->session, now, (size_t)n);
    return drain(c);
}

static int start(camera *c, const char *url, const char *folder, int number, int epoll) {
    unsigned char seed[32];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return 0;
    uint64_t now = micros(CLOCK_MONOTONIC);
    vigie_session_config config = {.struct_size = sizeof config, .url = url, .seed = seed};
    c->out = -1, c->epoll = epoll;
    if ((c->socket = dial(url)) < 0) {
        fprintf(stderr, "epoll: camera %d: no connection\n", number);
        return 0;
    }
    if (strcmp(folder, "-") != 0) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d.mp4", folder, number);
        c->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    vigie_result result = vigie_session_new(&config, now, &c->session);
    if (result != VIGIE_OK) {
        fprintf(stderr, "epoll: %s\n", vigie_result_text(result));
        return 0;
    }
    vigie_session_clock(c->session, now, (int64_t)micros(CLOCK_REALTIME));
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->socket, &wanted);
    return c->open = drain(c);
}

/* Once it is closed, epoll is not to tell of it again and again. True then. */
static int ends(camera *c, int goes_on) {
    c->open = goes_on;
    if (!goes_on)
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->socket, NULL);
    return !goes_on;
}

static void end(camera *c) {
    if (c->socket >= 0)
        close(c->socket);
    if (c->out >= 0)
        close(c->out);
    vigie_session_free(c->session);
    free(c->unsent);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: epoll CAMERAS SECONDS FOLDER URL...\n");
        return 2;
    }
    int count = atoi(argv[1]), urls = argc - 4, epoll = epoll_create1(EPOLL_CLOEXEC), ended = 0;
    camera *all = calloc((size_t)(count > 0 ? count : 1), sizeof *all);
    for (int i = 0; i < count; i++)
        if (!start(&all[i], argv[4 + i % urls], argv[3], i, epoll))
            return 1;
    uint64_t until = micros(CLOCK_MONOTONIC) + (uint64_t)atof(argv[2]) * 1000000, kill = until + 2000000;
    int stopping = 0, left = count;
    while (left > 0 && micros(CLOCK_MONOTONIC) < kill) {
        uint64_t now = micros(CLOCK_MONOTONIC), due = stopping ? kill : until;
        for (int i = 0; i < count; i++) {
            camera *c = &all[i];
            if (c->open && c->due <= now) {
                vigie_session_timeout(c->session, now);
                vigie_session_clock(c->session, now, (int64_t)micros(CLOCK_REALTIME));
                left -= ends(c, drain(c));
            }
            if (c->open && now >= until && !stopping) {
                vigie_session_stop(c->session, now);
                left -= ends(c, drain(c));
            }
            due = c->open && c->due < due ? c->due : due;
        }
        stopping |= now >= until;
        struct epoll_event came[64];
        int wait = due > now ? (int)((due - now) / 1000) + 1 : 0;
        int n = epoll_wait(epoll, came, 64, wait);
        for (int i = 0; i < n; i++) {
            camera *c = came[i].data.ptr;
            if (c->open && came[i].events & EPOLLOUT)
                flush(c, NULL, 0);
            if (c->open && ends(c, receive(c))) {
                left--;
                ended += !stopping;
            }
        }
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    unsigned long pictures = 0, fragments = 0, bytes = 0, fewest = (unsigned long)-1;
    for (int i = 0; i < count; i++) {
        pictures += all[i].pictures, fragments += all[i].fragments, bytes += all[i].bytes;
        fewest = all[i].pictures < fewest ? all[i].pictures : fewest;
        end(&all[i]);
    }
    printf("{\"cameras\": %d, \"pictures\": %lu, \"fewest\": %lu, \"fragments\": %lu, \"bytes\": %lu, \"cpu_seconds\": %.3f, "
           "\"cpu_ms_per_camera_second\": %.3f, \"rss_kb_per_camera\": %ld, \"ended_early\": %d}\n",
           count, pictures, fewest, fragments, bytes, cpu, cpu * 1000 / (atof(argv[2]) * (count > 0 ? count : 1)),
           used.ru_maxrss / (count > 0 ? count : 1), ended);
    free(all);
    close(epoll);
    return ended > 0;
}
