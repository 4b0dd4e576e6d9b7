/* vms.c: plays what was recorded: fragments from a store, through libavformat, into a decoder of libavcodec.
 *
 *     cc vms.c $(pkg-config --cflags --libs vigie libavformat libavcodec libavutil) -o vms
 *     ./vms footage town port-1 [FROM, in seconds of UTC since 1970]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <vigie/reader.h>
#include <vigie/store.h>

typedef struct source {
    vigie_reader *reader;
    vigie_piece piece; /* what is being read; its bytes are the reader's */
    size_t slice, offset;
    int begun, ended;
} source;

/* Makes the next piece with bytes the present one. 0 at the end, or where another init segment begins another stream. */
static int next(source *s) {
    do {
        vigie_result result = vigie_reader_next(s->reader, &s->piece);
        if (result != VIGIE_OK) {
            s->ended = 1;
            if (result != VIGIE_END)
                fprintf(stderr, "vms: %s\n", vigie_result_text(result));
            return 0;
        }
        if (s->piece.kind == VIGIE_PIECE_GAP || s->piece.kind == VIGIE_PIECE_DAMAGED)
            printf("%s: %.3f s\n", s->piece.kind == VIGIE_PIECE_GAP ? "nothing was recorded" : "damaged",
                   (double)(s->piece.utc_end - s->piece.utc) / 1e6);
    } while (s->piece.slice_count == 0);
    s->slice = s->offset = 0;
    return s->piece.kind != VIGIE_PIECE_INIT || !s->begun;
}

/* libavformat asks for bytes. */
static int read_bytes(void *opaque, uint8_t *into, int room) {
    source *s = opaque;
    if (s->slice >= s->piece.slice_count && !next(s))
        return AVERROR_EOF;
    if (s->piece.kind == VIGIE_PIECE_INIT && s->begun && s->offset == 0 && s->slice == 0)
        return AVERROR_EOF;
    const vigie_slice *slice = &s->piece.slices[s->slice];
    size_t n = slice->len - s->offset < (size_t)room ? slice->len - s->offset : (size_t)room;
    memcpy(into, slice->bytes + s->offset, n);
    s->offset += n;
    s->begun |= s->piece.kind == VIGIE_PIECE_FRAGMENT;
    if (s->offset == slice->len)
        s->slice++, s->offset = 0;
    return (int)n;
}

/* Takes what the decoder has ready. */
static unsigned long drain(AVCodecContext *decoder, AVFrame *frame) {
    unsigned long pictures = 0;
    while (avcodec_receive_frame(decoder, frame) == 0) {
        pictures += !(frame->flags & AV_FRAME_FLAG_CORRUPT);
        av_frame_unref(frame);
    }
    return pictures;
}

/* One stream: an init segment and what follows it. Gives the pictures decoded, -1 where it cannot be. */
static long play(source *s) {
    long pictures = -1;
    AVFormatContext *format = avformat_alloc_context();
    AVIOContext *io = avio_alloc_context(av_malloc(1 << 16), 1 << 16, 0, s, read_bytes, NULL, NULL);
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    AVCodecContext *decoder = NULL;
    format->pb = io;
    if (avformat_open_input(&format, NULL, av_find_input_format("mp4"), NULL) != 0 || format->nb_streams != 1)
        goto end;
    AVCodecParameters *parameters = format->streams[0]->codecpar;
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    if (!codec || !(decoder = avcodec_alloc_context3(codec)))
        goto end;
    decoder->thread_count = 1;
    if (avcodec_parameters_to_context(decoder, parameters) < 0 || avcodec_open2(decoder, codec, NULL) < 0)
        goto end;
    printf("%s %dx%d\n", avcodec_get_name(parameters->codec_id), parameters->width, parameters->height);
    for (pictures = 0; av_read_frame(format, packet) == 0; av_packet_unref(packet)) {
        avcodec_send_packet(decoder, packet);
        pictures += (long)drain(decoder, frame);
    }
    avcodec_send_packet(decoder, NULL);
    pictures += (long)drain(decoder, frame);
end:
    avcodec_free_context(&decoder);
    avformat_close_input(&format);
    av_freep(&io->buffer);
    avio_context_free(&io);
    av_frame_free(&frame);
    av_packet_free(&packet);
    return pictures;
}

/* When the camera's first footage begins. */
static vigie_result begins(const char *folder, const char *tenant, const char *camera, int64_t *utc) {
    vigie_store *store = NULL;
    vigie_listing listing = {.struct_size = sizeof listing};
    vigie_result result = vigie_store_open(folder, &store);
    if (result == VIGIE_OK)
        result = vigie_store_list(store, tenant, camera, INT64_MIN, INT64_MAX, &listing);
    if (result == VIGIE_OK && listing.range_count == 0)
        result = VIGIE_NOT_FOUND;
    if (result == VIGIE_OK)
        *utc = listing.ranges[0].from;
    vigie_store_free(store);
    return result;
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: vms STORE TENANT CAMERA [FROM]\n");
        return 2;
    }
    source s = {.piece = {.struct_size = sizeof s.piece}};
    int64_t from = argc == 5 ? (int64_t)(atof(argv[4]) * 1e6) : 0;
    vigie_result result = argc == 5 ? VIGIE_OK : begins(argv[1], argv[2], argv[3], &from);
    if (result == VIGIE_OK)
        result = vigie_reader_open(argv[1], argv[2], argv[3], &s.reader);
    if (result == VIGIE_OK)
        result = vigie_reader_seek(s.reader, from);
    if (result != VIGIE_OK) {
        fprintf(stderr, "vms: %s\n", vigie_result_text(result));
        return 1;
    }
    long all = 0, pictures = next(&s) ? 0 : -1;
    while (pictures >= 0 && !s.ended) {
        s.begun = 0;
        pictures = play(&s);
        all += pictures > 0 ? pictures : 0;
    }
    vigie_reader_free(s.reader);
    printf("%ld pictures\n", all);
    return pictures < 0;
}
