/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_SESSION
#define VIGIE_H_SESSION

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "piece.h"

/**
 * How media travels.
 */
enum vigie_transport
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Over the RTSP connection itself.
   */
  VIGIE_TRANSPORT_TCP = 0,
  /**
   * By UDP; where the camera refuses that, over the connection.
   */
  VIGIE_TRANSPORT_UDP = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_transport vigie_transport;
#else
typedef int32_t vigie_transport;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What an event is. A later version may tell of more: let those you do not know pass.
 */
enum vigie_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Send `bytes` on the connection, in this order.
   */
  VIGIE_EVENT_SEND = 1,
  /**
   * Send `bytes` from the socket of `media` (`number` 1: from that of its RTCP) to the agreed server port.
   */
  VIGIE_EVENT_DATAGRAM = 2,
  /**
   * Open two UDP sockets for `media`, an even port and the odd one above it, and answer with `vigie_session_bound`.
   */
  VIGIE_EVENT_BIND = 3,
  /**
   * The camera said what it has: `bytes` is the session description as it was received, `number` its media.
   */
  VIGIE_EVENT_DESCRIBED = 4,
  /**
   * How `media` will travel: `number` is one of `vigie_transport`, `port` and `rtcp_port` are the camera's over UDP (0: any).
   */
  VIGIE_EVENT_SET_UP = 5,
  /**
   * PLAY was answered: pictures will come.
   */
  VIGIE_EVENT_PLAYING = 6,
  /**
   * `piece` is an init segment or a fragment.
   */
  VIGIE_EVENT_PIECE = 7,
  /**
   * A picture: `bytes` are its NAL units, each behind its length in 4 bytes, big-endian; `timestamp` is its RTP timestamp,
   * `received` when its first byte came, `number` 1 where decoding can start at it.
   */
  VIGIE_EVENT_ACCESS_UNIT = 8,
  /**
   * Pictures are missing before those that follow: `number` RTP packets were lost; 0: the stream began anew.
   */
  VIGIE_EVENT_GAP = 9,
  /**
   * The camera breaks a rule that has one sensible reading: `text` names it. Once for each rule.
   */
  VIGIE_EVENT_QUIRK = 10,
  /**
   * The stream is elsewhere: `text` is the address. Close, and open a session there. Give user and password only if the
   * host is the same.
   */
  VIGIE_EVENT_REDIRECTED = 11,
  /**
   * How the source does: `health`. Every five seconds while pictures come.
   */
  VIGIE_EVENT_HEALTH = 12,
  /**
   * The session ended in order.
   */
  VIGIE_EVENT_ENDED = 13,
  /**
   * The session failed: `number` is the stable number of the error, `text` says why; `vigie_session_error` has all of it.
   */
  VIGIE_EVENT_FAILED = 14,
  /**
   * Close the connection. Nothing comes after it.
   */
  VIGIE_EVENT_CLOSE = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_event_kind vigie_event_kind;
#else
typedef int32_t vigie_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An RTSP session with one camera, over one connection of the host's. One call at a time.
 */
typedef struct vigie_session vigie_session;

/**
 * How a session is to work. Set `struct_size` to `sizeof(vigie_session_config)`, everything but `url` and `seed` to 0 for the
 * default.
 */
typedef struct vigie_session_config {
  /**
   * `sizeof(vigie_session_config)`.
   */
  size_t struct_size;
  /**
   * `rtsp://user:password@host:port/path`. The connection that the host opens is to this host and port. Copied; user and
   * password are never told again.
   */
  const char *url;
  /**
   * 32 bytes that nobody can guess, others for each session (`getrandom`): nonces come from them. Copied.
   */
  const uint8_t *seed;
  /**
   * The user, where it is not in `url`; NULL otherwise. Copied.
   */
  const char *user;
  /**
   * The password likewise.
   */
  const char *password;
  /**
   * One of `vigie_mode`.
   */
  int32_t mode;
  /**
   * One of `vigie_transport`.
   */
  int32_t transport;
  /**
   * Microseconds to wait for a response; 0: 10 s.
   */
  uint64_t response_timeout;
  /**
   * Microseconds without RTP, after PLAY, that end the session; 0: 10 s.
   */
  uint64_t media_timeout;
  /**
   * The camera's name, for `vigie_error`; NULL: its address. Copied.
   */
  const char *camera;
} vigie_session_config;

/**
 * How a source does, on its present connection. What is not known yet is negative.
 */
typedef struct vigie_health {
  /**
   * `sizeof(vigie_health)`.
   */
  size_t struct_size;
  /**
   * RTP packets received.
   */
  uint64_t packets;
  /**
   * RTP packets that are missing.
   */
  uint64_t lost;
  /**
   * Interarrival jitter in microseconds, RFC 3550 section 6.4.1.
   */
  int64_t jitter;
  /**
   * From a keep-alive to its answer, in microseconds.
   */
  int64_t keep_alive;
  /**
   * Pictures a second as the camera declares them.
   */
  double declared_rate;
  /**
   * As its RTP timestamps say.
   */
  double stamped_rate;
  /**
   * As they come.
   */
  double delivered_rate;
  /**
   * Pictures of the last whole GOP.
   */
  int64_t gop_pictures;
  /**
   * 1 where `clock_offset` is known: a sender report came, and the host has told its clock.
   */
  int32_t has_clock_offset;
  /**
   * Must be 0.
   */
  int32_t reserved;
  /**
   * The camera's clock less ours, in microseconds, from its sender reports.
   */
  int64_t clock_offset;
} vigie_health;

/**
 * Something that happened. What it points to stays the session's, and good until the next call on the session other than
 * `vigie_session_next_timeout`. Set `struct_size` to `sizeof(vigie_event)` before the call.
 */
typedef struct vigie_event {
  /**
   * `sizeof(vigie_event)`.
   */
  size_t struct_size;
  /**
   * One of `vigie_event_kind`, which says what the other fields hold; those it does not name are 0.
   */
  int32_t kind;
  /**
   * Index of the media in the session description, from 0.
   */
  uint32_t media;
  /**
   * Bytes.
   */
  const uint8_t *bytes;
  /**
   * Number of bytes.
   */
  size_t len;
  /**
   * A number.
   */
  uint64_t number;
  /**
   * An RTP timestamp.
   */
  uint32_t timestamp;
  /**
   * A UDP port of the camera's, for RTP.
   */
  uint16_t port;
  /**
   * The same for RTCP.
   */
  uint16_t rtcp_port;
  /**
   * Microseconds of the host's monotonic clock.
   */
  uint64_t received;
  /**
   * Text, NUL-terminated, or NULL.
   */
  const char *text;
  /**
   * How the source does, or NULL.
   */
  const struct vigie_health *health;
  /**
   * A piece.
   */
  vigie_piece piece;
} vigie_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a session on a connection that the host has opened to the address, at `now` (microseconds of the host's monotonic
 * clock). The first request waits: pull. On success `*session` is a handle that the caller owns and frees with
 * `vigie_session_free`. `VIGIE_ADDRESS`: the URL is none.
 *
 * What the caller promises:
 * `config` is NULL or points to a `vigie_session_config`; `session` is NULL or can be written to.
 */
vigie_result vigie_session_new(const struct vigie_session_config *config,
                               uint64_t now,
                               struct vigie_session **session);

/**
 * Says what the host's monotonic clock and its UTC read at one moment, both in microseconds. Say it at the start and now and
 * then: where the camera says no time of its own, pictures are dated by it.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_clock(struct vigie_session *session,
                                 uint64_t now,
                                 int64_t utc);

/**
 * Where to read the connection into, so that nothing is copied: `*bytes` and `*len` are written; they are the session's, and
 * good until the next call on it. Then say `vigie_session_received`.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `bytes` and `len` are NULL or can be written to.
 */
vigie_result vigie_session_buffer(struct vigie_session *session,
                                  uint8_t **bytes,
                                  size_t *len);

/**
 * Says that `len` bytes were read into the buffer of `vigie_session_buffer` at `now`. `VIGIE_ARGUMENT`: that are more than it
 * has. Then pull.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_received(struct vigie_session *session,
                                    uint64_t now,
                                    size_t len);

/**
 * The same for bytes that lie elsewhere: they are copied. Then pull.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
 */
vigie_result vigie_session_push(struct vigie_session *session,
                                uint64_t now,
                                const uint8_t *bytes,
                                size_t len);

/**
 * Answers `VIGIE_EVENT_BIND`: the ports of RTP and RTCP that were opened for a media; both 0: none could be.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_bound(struct vigie_session *session,
                                 uint64_t now,
                                 uint32_t media,
                                 uint16_t rtp_port,
                                 uint16_t rtcp_port);

/**
 * Takes a datagram that came to the socket of a media's RTP (`rtcp` 0) or RTCP (1). Copied. Then pull.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
 */
vigie_result vigie_session_datagram(struct vigie_session *session,
                                    uint64_t now,
                                    uint32_t media,
                                    int32_t rtcp,
                                    const uint8_t *bytes,
                                    size_t len);

/**
 * Says that the camera closed the connection, or that it broke. Then pull: what is left of the pictures comes, and the end.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_closed(struct vigie_session *session,
                                  uint64_t now);

/**
 * When to call `vigie_session_timeout`, on the host's monotonic clock. `VIGIE_AGAIN`: nothing is due, `*at` is not written.
 * What the last event lends stays good.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `at` is NULL or can be written to.
 */
vigie_result vigie_session_next_timeout(const struct vigie_session *session,
                                        uint64_t *at);

/**
 * Does what is due at `now`. Then pull.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_timeout(struct vigie_session *session, uint64_t now);

/**
 * Ends the session in order: the camera is told. Go on reading and pulling until `VIGIE_EVENT_CLOSE`, two seconds at most.
 *
 * What the caller promises:
 * `session` is NULL or a live handle.
 */
vigie_result vigie_session_stop(struct vigie_session *session,
                                uint64_t now);

/**
 * Gives the next event. `VIGIE_OK`: `*event` is written; what it points to stays the session's, see `vigie_event`.
 * `VIGIE_AGAIN`: nothing more until bytes or time come. `VIGIE_END`: the session is over and all was told.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `event` is NULL or points to a `vigie_event`.
 */
vigie_result vigie_session_pull(struct vigie_session *session,
                                struct vigie_event *event);

/**
 * Copies out how the source does at `now`.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `health` is NULL or points to a `vigie_health`.
 */
vigie_result vigie_session_health(const struct vigie_session *session,
                                  uint64_t now,
                                  struct vigie_health *health);

/**
 * Copies the detail of the session's last failure out. `offset` counts bytes of the connection.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
 */
vigie_result vigie_session_error(const struct vigie_session *session, vigie_error *error);

/**
 * Frees a session and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not
 * freed.
 *
 * What the caller promises:
 * `session` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
 */
vigie_result vigie_session_free(struct vigie_session *session);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_SESSION */
