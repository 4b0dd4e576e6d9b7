/* gst.c: an elementary stream through vigie_remuxer into a GStreamer pipeline, by appsrc, and decoded there.
 *
 *     cc gst.c $(pkg-config --cflags --libs vigie gstreamer-app-1.0) -o gst
 *     ./gst input.h264
 */
#include <gst/app/gstappsrc.h>
#include <stdio.h>
#include <vigie/remuxer.h>

static gint pictures;

static GstPadProbeReturn counted(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    (void)pad, (void)info, (void)data;
    g_atomic_int_inc(&pictures);
    return GST_PAD_PROBE_OK;
}

/* Hands over every piece that is ready. GStreamer keeps the bytes for longer than they are lent: one copy. */
static vigie_result hand_over(vigie_remuxer *remuxer, GstAppSrc *to) {
    vigie_piece piece = {.struct_size = sizeof piece};
    vigie_result result;
    while ((result = vigie_remuxer_pull(remuxer, &piece)) == VIGIE_OK) {
        gsize len = 0;
        for (size_t i = 0; i < piece.slice_count; i++)
            len += piece.slices[i].len;
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, len, NULL);
        len = 0;
        for (size_t i = 0; i < piece.slice_count; i++)
            len += gst_buffer_fill(buffer, len, piece.slices[i].bytes, piece.slices[i].len);
        if (gst_app_src_push_buffer(to, buffer) != GST_FLOW_OK)
            return VIGIE_STREAM;
    }
    return result;
}

int main(int argc, char **argv) {
    FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!in) {
        fprintf(stderr, "usage: gst INPUT.h264|INPUT.h265\n");
        return 2;
    }
    gst_init(NULL, NULL);
    GError *wrong = NULL;
    GstElement *pipeline = gst_parse_launch("appsrc name=in ! qtdemux ! decodebin ! fakesink name=out sync=false", &wrong);
    if (wrong) {
        fprintf(stderr, "gst: %s\n", wrong->message);
        return 1;
    }
    GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "in"), *sink = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, counted, NULL, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);

    vigie_remuxer *remuxer = NULL;
    vigie_result result = vigie_remuxer_new(NULL, &remuxer);
    static unsigned char buffer[1 << 16];
    size_t n;
    while ((result == VIGIE_OK || result == VIGIE_AGAIN) && (n = fread(buffer, 1, sizeof buffer, in)) > 0)
        if ((result = vigie_remuxer_push(remuxer, buffer, n)) == VIGIE_OK)
            result = hand_over(remuxer, GST_APP_SRC(source));
    if (result == VIGIE_AGAIN && (result = vigie_remuxer_finish(remuxer)) == VIGIE_OK)
        result = hand_over(remuxer, GST_APP_SRC(source));
    vigie_remuxer_free(remuxer);
    fclose(in);
    gst_app_src_end_of_stream(GST_APP_SRC(source));

    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *last = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    int failed = result != VIGIE_END || GST_MESSAGE_TYPE(last) == GST_MESSAGE_ERROR;
    if (failed)
        fprintf(stderr, "gst: %s\n", result == VIGIE_END ? "the pipeline failed" : vigie_result_text(result));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_message_unref(last);
    gst_object_unref(bus);
    gst_object_unref(pad);
    gst_object_unref(source);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    gst_deinit();
    printf("%d pictures\n", g_atomic_int_get(&pictures));
    return failed;
}
