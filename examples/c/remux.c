/* remux.c: an H.264 or H.265 elementary stream (Annex B) to fragmented MP4, through libvigie.
 *
 *     cc remux.c $(pkg-config --cflags --libs vigie) -o remux
 *     ./remux input.h264 output.mp4
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vigie/remuxer.h>

/* Says what is wrong, frees the handle, and is the program's exit code. */
static int fail(const char *what, vigie_result result, vigie_remuxer *remuxer) {
    vigie_error error = {.struct_size = sizeof error};
    int known = vigie_remuxer_error(remuxer, &error) == VIGIE_OK && error.result != VIGIE_OK;
    vigie_remuxer_free(remuxer);
    fprintf(stderr, "remux: %s: %s%s%s\n", what, vigie_result_text(result), known ? ": " : "", known ? error.text : "");
    return 1;
}

/* Writes every piece that is ready. The bytes stay the remuxer's until the next call on it. */
static vigie_result drain(vigie_remuxer *remuxer, FILE *out, unsigned long *pictures) {
    vigie_piece piece = {.struct_size = sizeof piece};
    vigie_result result;
    while ((result = vigie_remuxer_pull(remuxer, &piece)) == VIGIE_OK) {
        for (size_t i = 0; i < piece.slice_count; i++)
            if (fwrite(piece.slices[i].bytes, 1, piece.slices[i].len, out) != piece.slices[i].len) {
                fprintf(stderr, "remux: cannot write: %s\n", strerror(errno));
                return VIGIE_ARGUMENT;
            }
        if (piece.kind == VIGIE_PIECE_INIT)
            printf("%s %ux%u\n", piece.codec_string, piece.width, piece.height);
        *pictures += piece.samples;
    }
    return result;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: remux INPUT.h264|INPUT.h265 OUTPUT.mp4\n");
        return 2;
    }
    if (vigie_abi_version() != VIGIE_ABI_VERSION) {
        fprintf(stderr, "remux: the library is of another version than the header\n");
        return 2;
    }
    FILE *in = fopen(argv[1], "rb"), *out = in ? fopen(argv[2], "wb") : NULL;
    if (!out) {
        fprintf(stderr, "remux: %s: %s\n", in ? argv[2] : argv[1], strerror(errno));
        return 1;
    }

    vigie_remuxer_config config = {.struct_size = sizeof config, .codec = VIGIE_CODEC_DETECT};
    vigie_remuxer *remuxer = NULL;
    vigie_result result = vigie_remuxer_new(&config, &remuxer);
    if (result != VIGIE_OK)
        return fail("cannot start", result, NULL);

    static unsigned char buffer[1 << 16];
    unsigned long pictures = 0;
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) {
        if ((result = vigie_remuxer_push(remuxer, buffer, n)) != VIGIE_OK)
            return fail(argv[1], result, remuxer);
        if ((result = drain(remuxer, out, &pictures)) != VIGIE_AGAIN)
            return fail(argv[1], result, remuxer);
    }
    if ((result = vigie_remuxer_finish(remuxer)) != VIGIE_OK)
        return fail(argv[1], result, remuxer);
    if ((result = drain(remuxer, out, &pictures)) != VIGIE_END)
        return fail(argv[1], result, remuxer);
    vigie_remuxer_free(remuxer);
    fclose(in);
    if (fclose(out) != 0) {
        fprintf(stderr, "remux: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    printf("%lu pictures\n", pictures);
    return 0;
}
