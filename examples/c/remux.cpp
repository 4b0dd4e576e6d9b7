// remux.cpp: an H.264 or H.265 elementary stream (Annex B) to fragmented MP4, through libvigie in C++17.
//
//     c++ -std=c++17 remux.cpp $(pkg-config --cflags --libs vigie) -o remux
//     ./remux input.h264 output.mp4
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

#include <vigie/remuxer.h>

namespace {

struct Free {
    void operator()(vigie_remuxer *remuxer) const { vigie_remuxer_free(remuxer); }
};

class Remuxer {
public:
    Remuxer() {
        vigie_remuxer *made = nullptr;
        check(vigie_remuxer_new(nullptr, &made));
        handle.reset(made);
    }

    void push(const char *bytes, std::size_t len) {
        check(vigie_remuxer_push(handle.get(), reinterpret_cast<const uint8_t *>(bytes), len));
    }

    void finish() { check(vigie_remuxer_finish(handle.get())); }

    /* Gives each piece that is ready to `take`; its bytes are good until that returns. */
    template <typename Take> void pull(Take take) {
        vigie_piece piece{};
        piece.struct_size = sizeof piece;
        while (check(vigie_remuxer_pull(handle.get(), &piece)) == vigie_result::VIGIE_OK)
            take(piece);
    }

private:
    /* Above 0 is no fault. */
    vigie_result check(vigie_result result) {
        if (static_cast<int32_t>(result) >= 0)
            return result;
        vigie_error error{};
        error.struct_size = sizeof error;
        if (handle && vigie_remuxer_error(handle.get(), &error) == vigie_result::VIGIE_OK && error.text[0])
            throw std::runtime_error(error.text);
        throw std::runtime_error(vigie_result_text(static_cast<int32_t>(result)));
    }

    std::unique_ptr<vigie_remuxer, Free> handle;
};

} // namespace

int main(int argc, char **argv) try {
    if (argc != 3) {
        std::cerr << "usage: remux INPUT.h264|INPUT.h265 OUTPUT.mp4\n";
        return 2;
    }
    std::ifstream in(argv[1], std::ios::binary);
    std::ofstream out(argv[2], std::ios::binary);
    in.exceptions(std::ios::badbit);
    out.exceptions(std::ios::badbit | std::ios::failbit);
    if (!in)
        throw std::runtime_error("the input cannot be read");
    unsigned long pictures = 0;
    auto write = [&](const vigie_piece &piece) {
        for (std::size_t i = 0; i < piece.slice_count; i++)
            out.write(reinterpret_cast<const char *>(piece.slices[i].bytes), static_cast<std::streamsize>(piece.slices[i].len));
        pictures += piece.samples;
    };
    Remuxer remuxer;
    std::vector<char> buffer(1 << 16);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
        remuxer.push(buffer.data(), static_cast<std::size_t>(in.gcount()));
        remuxer.pull(write);
    }
    remuxer.finish();
    remuxer.pull(write);
    std::cout << pictures << " pictures\n";
} catch (const std::exception &error) {
    std::cerr << "remux: " << error.what() << '\n';
    return 1;
}
