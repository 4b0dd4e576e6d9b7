/* record.c: records one camera until Ctrl-C.
 *
 *     cc record.c $(pkg-config --cflags --libs vigie) -o record
 *     ./record rtsp://user:password@192.0.2.7/stream1 footage town port-1
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <vigie/recorder.h>

static void told(void *context, const vigie_recorder_event *event) {
    (void)context;
    if (event->text)
        fprintf(stderr, "record: %s\n", event->text);
}

int main(int argc, char **argv) {
    if (argc != 5)
        return fprintf(stderr, "usage: record URL STORE TENANT CAMERA\n"), 2;
    sigset_t ends;
    sigemptyset(&ends), sigaddset(&ends, SIGINT), sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    vigie_recorder_config config = {.struct_size = sizeof config, .url = argv[1], .store = argv[2],
                                    .tenant = argv[3], .camera = argv[4], .on_event = told};
    vigie_recorder *recorder;
    vigie_error error = {.struct_size = sizeof error};
    if (vigie_recorder_start(&config, &recorder, &error) != VIGIE_OK)
        return fprintf(stderr, "record: %s\n", error.text), 1;
    int which;
    sigwait(&ends, &which);
    vigie_recorder_counters kept = {.struct_size = sizeof kept};
    vigie_result result = vigie_recorder_stop(recorder);
    vigie_recorder_stats(recorder, &kept);
    printf("%llu pictures, %llu fragments\n", (unsigned long long)kept.pictures, (unsigned long long)kept.synced);
    vigie_recorder_free(recorder);
    return result == VIGIE_OK ? 0 : 1;
}
