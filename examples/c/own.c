/* own.c: records a camera into a storage of the host's own, here memory, and makes an MP4 of what came.
 *
 *     cc own.c $(pkg-config --cflags --libs vigie) -lpthread -o own
 *     ./own rtsp://user:password@192.0.2.7/stream1 SECONDS clip.mp4
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include <vigie/export.h>
#include <vigie/recorder.h>

#include "memory.h"

int main(int argc, char **argv) {
    if (argc != 4)
        return fprintf(stderr, "usage: own URL SECONDS CLIP.mp4\n"), 2;
    memory memory = {.one = PTHREAD_MUTEX_INITIALIZER, .capacity = 256 << 20};
    vigie_storage storage = memory_storage(&memory);
    vigie_recorder_config config = {.struct_size = sizeof config, .url = argv[1], .tenant = "town", .camera = "gate"};
    vigie_error error = {.struct_size = sizeof error};
    vigie_recorder *recorder;
    if (vigie_recorder_start_on(&config, &storage, &recorder, &error) != VIGIE_OK)
        return fprintf(stderr, "own: %s\n", error.text), 1;
    nanosleep(&(struct timespec){.tv_sec = atoi(argv[2])}, NULL);
    vigie_result result = vigie_recorder_stop(recorder);
    if (result != VIGIE_OK && vigie_recorder_error(recorder, &error) == VIGIE_OK)
        fprintf(stderr, "own: %s\n", error.text);
    vigie_recorder_free(recorder);

    vigie_store *store = NULL;
    vigie_listing all = {.struct_size = sizeof all};
    vigie_export clip = {.struct_size = sizeof clip, .tenant = "town", .camera = "gate", .path = argv[3]};
    if (result == VIGIE_OK)
        result = vigie_store_open_on(&storage, &store);
    if (result == VIGIE_OK)
        result = vigie_store_list(store, "town", "gate", INT64_MIN, INT64_MAX, &all);
    if (result == VIGIE_OK && all.range_count > 0) {
        clip.from = all.ranges[0].from;
        clip.to = all.ranges[all.range_count - 1].to;
        result = vigie_store_export(store, &clip);
    }
    if (result != VIGIE_OK && vigie_store_error(store, &error) == VIGIE_OK)
        fprintf(stderr, "own: %s\n", error.text);
    vigie_store_free(store);
    printf("%s: %llu pictures, %zu bytes stored\n", vigie_result_text(result), (unsigned long long)clip.pictures, memory.used);
    memory_free(&memory);
    return result == VIGIE_OK ? 0 : 1;
}
