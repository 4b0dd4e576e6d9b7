/* inputs.c: the same pictures as Annex B, as access units and as RTP packets, in order and in disorder, give the same samples,
 * byte for byte; a lost packet is told.
 *
 *     inputs CLIP.h264|CLIP.h265
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigie/remuxer.h>

static int failures;
#define HOLDS(what) ((what) ? (void)0 : (void)(failures++, fprintf(stderr, "inputs.c:%d: not so: %s\n", __LINE__, #what)))

typedef struct buffer {
    unsigned char *bytes;
    size_t len, room;
} buffer;

static void add(buffer *to, const void *bytes, size_t len) {
    if (to->len + len > to->room) {
        to->room = (to->len + len) * 2;
        to->bytes = realloc(to->bytes, to->room);
    }
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

/* What came out: the samples' bytes, and the rest in numbers. */
typedef struct output {
    buffer samples;
    unsigned long pictures, inits, fragments, lost;
} output;

/* The first slice of a fragment is its head, up to the header of `mdat`; the others are samples. */
static vigie_result pull(vigie_remuxer *remuxer, output *out) {
    vigie_piece piece = {.struct_size = sizeof piece};
    vigie_result result;
    while ((result = vigie_remuxer_pull(remuxer, &piece)) == VIGIE_OK) {
        out->inits += piece.kind == VIGIE_PIECE_INIT;
        out->fragments += piece.kind == VIGIE_PIECE_FRAGMENT;
        out->pictures += piece.samples;
        out->lost += (piece.flags & VIGIE_PIECE_FLAG_LOSS) != 0;
        HOLDS(piece.width == 640 && piece.height == 360 && piece.slice_count > 0 && piece.codec_string[0]);
        for (size_t i = 1; i < piece.slice_count; i++)
            add(&out->samples, piece.slices[i].bytes, piece.slices[i].len);
    }
    return result;
}

static int h265;
static unsigned char clip[1 << 24];
static size_t clip_len;

/* The next NAL unit of the clip from `*at` on; its length, 0 at the end. */
static size_t next_nal(size_t *at, const unsigned char **nal) {
    size_t i = *at;
    while (i + 3 < clip_len && !(clip[i] == 0 && clip[i + 1] == 0 && clip[i + 2] == 1))
        i++;
    if (i + 3 >= clip_len)
        return 0;
    size_t start = i + 3, end = start;
    while (end + 2 < clip_len && !(clip[end] == 0 && clip[end + 1] == 0 && clip[end + 2] <= 1))
        end++;
    if (end + 2 >= clip_len)
        end = clip_len;
    *nal = clip + start;
    *at = end;
    return end - start;
}

/* Does this NAL unit begin a picture that follows another? As encoders write it: one slice with its first block, or what
 * stands before that. */
static int begins(const unsigned char *nal, int after_slice, int *slice) {
    int type = h265 ? nal[0] >> 1 & 63 : nal[0] & 31;
    *slice = h265 ? type < 32 : type >= 1 && type <= 5;
    int first = *slice && nal[h265 ? 2 : 1] & 0x80;
    return after_slice && (first || !*slice);
}

static vigie_remuxer *make(int input, int datagrams, const char *sdp) {
    vigie_remuxer_config config = {.struct_size = sizeof config, .codec = h265 ? VIGIE_CODEC_H265 : VIGIE_CODEC_H264, .input = input,
        .datagrams = datagrams, .sdp = (const uint8_t *)sdp, .sdp_len = sdp ? strlen(sdp) : 0, .camera = "test"};
    if (sdp)
        config.codec = VIGIE_CODEC_DETECT;
    vigie_remuxer *remuxer = NULL;
    HOLDS(vigie_remuxer_new(&config, &remuxer) == VIGIE_OK);
    return remuxer;
}

static output annex_b(void) {
    output out = {0};
    vigie_remuxer *remuxer = make(VIGIE_INPUT_ANNEX_B, 0, NULL);
    for (size_t at = 0; at < clip_len; at += 4099) {
        size_t n = clip_len - at < 4099 ? clip_len - at : 4099;
        HOLDS(vigie_remuxer_push(remuxer, clip + at, n) == VIGIE_OK);
        HOLDS(pull(remuxer, &out) == VIGIE_AGAIN);
    }
    HOLDS(vigie_remuxer_finish(remuxer) == VIGIE_OK && pull(remuxer, &out) == VIGIE_END);
    HOLDS(vigie_remuxer_free(remuxer) == VIGIE_OK);
    return out;
}

static output access_units(int prefixed) {
    output out = {0};
    vigie_remuxer *remuxer = make(VIGIE_INPUT_ACCESS_UNITS, 0, NULL);
    buffer unit = {0};
    const unsigned char *nal;
    size_t at = 0, len;
    int slice = 0, after = 0;
    uint32_t time = 4000000000u;
    do {
        len = next_nal(&at, &nal);
        if (len == 0 || begins(nal, after, &slice)) {
            vigie_access_unit whole = {.struct_size = sizeof whole, .bytes = unit.bytes, .len = unit.len, .length_prefixed = prefixed,
                .timestamp = time, .received = time / 90 * 1000};
            HOLDS(vigie_remuxer_push_access_unit(remuxer, &whole) == VIGIE_OK && pull(remuxer, &out) == VIGIE_AGAIN);
            time += 3600;
            unit.len = after = 0;
        }
        unsigned char head[4] = {0, 0, 0, 1};
        if (prefixed)
            for (int i = 0; i < 4; i++)
                head[i] = (unsigned char)(len >> (24 - 8 * i));
        add(&unit, head, 4);
        add(&unit, nal, len);
        after |= slice;
    } while (len > 0);
    HOLDS(vigie_remuxer_finish(remuxer) == VIGIE_OK && pull(remuxer, &out) == VIGIE_END);
    HOLDS(vigie_remuxer_free(remuxer) == VIGIE_OK);
    free(unit.bytes);
    return out;
}

/* A sender: RFC 6184 and RFC 7798, single NAL units and fragments. Every `swapped`-th packet is sent after its successor, the
 * packet `lost` is not. */
typedef struct sender {
    vigie_remuxer *remuxer;
    output *out;
    unsigned char held[1500];
    size_t held_len;
    uint32_t count, time, swapped, lost;
} sender;

static void give(sender *s, const unsigned char *packet, size_t len) {
    HOLDS(vigie_remuxer_push_rtp(s->remuxer, packet, len, s->count * 1000u) == VIGIE_OK);
    vigie_result result = pull(s->remuxer, s->out);
    HOLDS(result == VIGIE_AGAIN);
}

static void send_packet(sender *s, const unsigned char *payload, size_t len, int marker) {
    unsigned char packet[1500] = {0x80, (unsigned char)(96 | (marker ? 0x80 : 0))};
    uint16_t sequence = (uint16_t)(65000u + s->count);
    packet[2] = (unsigned char)(sequence >> 8), packet[3] = (unsigned char)sequence;
    for (int i = 0; i < 4; i++)
        packet[4 + i] = (unsigned char)(s->time >> (24 - 8 * i)), packet[8 + i] = 7;
    memcpy(packet + 12, payload, len);
    s->count++;
    if (s->count == s->lost)
        return;
    if (s->held_len == 0 && s->swapped && s->count % s->swapped == 0) {
        memcpy(s->held, packet, s->held_len = len + 12);
        return;
    }
    give(s, packet, len + 12);
    if (s->held_len) {
        give(s, s->held, s->held_len);
        s->held_len = 0;
    }
}

static void send_nal(sender *s, const unsigned char *nal, size_t len, int marker) {
    const size_t most = 1200, header = h265 ? 2 : 1;
    if (len <= most) {
        send_packet(s, nal, len, marker);
        return;
    }
    for (size_t at = header; at < len; at += most) {
        size_t n = len - at < most ? len - at : most;
        unsigned char payload[1300], edge = (unsigned char)((at == header) << 7 | (at + n == len) << 6);
        if (h265) {
            payload[0] = (unsigned char)((nal[0] & 0x81) | 49 << 1), payload[1] = nal[1];
            payload[2] = edge | (nal[0] >> 1 & 63);
        } else {
            payload[0] = (nal[0] & 0xe0) | 28, payload[1] = edge | (nal[0] & 31);
        }
        memcpy(payload + header + 1, nal + at, n);
        send_packet(s, payload, n + header + 1, marker && at + n == len);
    }
}

static output rtp(int datagrams, uint32_t swapped, uint32_t lost) {
    char sdp[256];
    snprintf(sdp, sizeof sdp, "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 %s/90000\r\n%s", h265 ? "H265" : "H264",
             h265 ? "" : "a=fmtp:96 packetization-mode=1\r\n");
    output out = {0};
    sender s = {.remuxer = make(VIGIE_INPUT_RTP, datagrams, sdp), .out = &out, .time = 4294900000u, .swapped = swapped, .lost = lost};
    HOLDS(vigie_remuxer_clock(s.remuxer, 0, 1700000000000000) == VIGIE_OK);
    /* RTCP: the sender report says what time it is. */
    unsigned char report[28] = {0x80, 200, 0, 6, 7, 7, 7, 7, 0xe9, 0, 0, 0};
    for (int i = 0; i < 4; i++)
        report[16 + i] = (unsigned char)(s.time >> (24 - 8 * i));
    HOLDS(vigie_remuxer_push_rtcp(s.remuxer, report, sizeof report, 0) == VIGIE_OK);
    const unsigned char *nal, *before = NULL;
    size_t at = 0, len, before_len = 0;
    int slice = 0, after = 0;
    do {
        len = next_nal(&at, &nal);
        int next = len == 0 || begins(nal, after, &slice);
        if (before_len)
            send_nal(&s, before, before_len, next);
        if (next)
            s.time += 3600, after = 0;
        after |= slice;
        before = nal, before_len = len;
    } while (len > 0);
    /* The last packet of all has none behind it that it could come after. */
    if (s.held_len)
        give(&s, s.held, s.held_len);
    uint64_t due;
    if (vigie_remuxer_next_timeout(s.remuxer, &due) == VIGIE_OK)
        HOLDS(datagrams && vigie_remuxer_timeout(s.remuxer, due) == VIGIE_OK);
    HOLDS(vigie_remuxer_finish(s.remuxer) == VIGIE_OK && pull(s.remuxer, &out) == VIGIE_END);
    vigie_remuxer_counters counters = {.struct_size = sizeof counters};
    HOLDS(vigie_remuxer_stats(s.remuxer, &counters) == VIGIE_OK);
    HOLDS(counters.packets == s.count - (lost > 0) && counters.lost == (lost > 0) && counters.samples == out.pictures);
    HOLDS(swapped == 0 || counters.reordered > 0);
    HOLDS(vigie_remuxer_free(s.remuxer) == VIGIE_OK);
    return out;
}

static void same(const char *name, output is, const output *due) {
    int equal = is.samples.len == due->samples.len && !memcmp(is.samples.bytes, due->samples.bytes, due->samples.len);
    printf("%-32s %lu pictures, %lu fragments, %zu bytes%s\n", name, is.pictures, is.fragments, is.samples.len,
           equal ? "" : ": other bytes");
    HOLDS(equal && is.pictures == due->pictures && is.inits == due->inits && is.lost == 0);
    free(is.samples.bytes);
}

int main(int argc, char **argv) {
    FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!in)
        return 2;
    clip_len = fread(clip, 1, sizeof clip, in);
    fclose(in);
    h265 = strstr(argv[1], "265") != NULL;
    output due = annex_b();
    HOLDS(due.pictures > 0 && due.samples.len > 0);
    same("access units, start codes", access_units(0), &due);
    same("access units, lengths", access_units(1), &due);
    same("RTP, in order", rtp(0, 0, 0), &due);
    same("RTP, datagrams in disorder", rtp(1, 7, 0), &due);
    output lossy = rtp(0, 0, 60);
    printf("%-32s %lu pictures, %lu fragments with loss\n", "RTP, a packet lost", lossy.pictures, lossy.lost);
    HOLDS(lossy.lost == 1 && lossy.samples.len < due.samples.len);
    free(lossy.samples.bytes);
    free(due.samples.bytes);
    return failures > 0;
}
