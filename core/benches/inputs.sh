#!/bin/bash
# Makes the inputs of the benches: four clips of testsrc2 with noise, as Annex B and as RTP with RFC 4571 framing.
#
#   core/benches/inputs.sh [DIR]      DIR: VIGIE_BENCH_INPUTS, or target/bench-inputs
#
# Needs ffmpeg with libx264 and libx265, and GStreamer (base, good, bad). Takes about 3 minutes of one core and 250 MB;
# what is there already is kept. One encoder thread, so that the same versions give the same bytes.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-${VIGIE_BENCH_INPUTS:-$here/target/bench-inputs}}
for tool in ffmpeg gst-launch-1.0; do
  command -v "$tool" >/dev/null || { echo "inputs.sh: $tool is missing" >&2; exit 1; }
done
mkdir -p "$out"
cd "$out"

source_of() { # size seconds
  echo "testsrc2=s=$1:r=25:d=$2,noise=alls=12:allf=t:all_seed=1,format=yuv420p"
}
encode_h264() { # name size seconds rate bframes
  [ -s "$1.264" ] && return
  ffmpeg -nostdin -v error -y -f lavfi -i "$(source_of "$2" "$3")" -c:v libx264 -preset superfast -profile:v high \
    -b:v "$4" -maxrate "$4" -bufsize "$4" \
    -x264-params "keyint=50:min-keyint=50:scenecut=0:bframes=$5:b-adapt=0:threads=1:sliced-threads=0:slices=1:repeat-headers=1:nal-hrd=none:aud=0" \
    -bsf:v filter_units=remove_types=6 -f h264 "$1.part"
  mv "$1.part" "$1.264"
}
encode_h265() { # name size seconds rate
  [ -s "$1.265" ] && return
  ffmpeg -nostdin -v error -y -f lavfi -i "$(source_of "$2" "$3")" -c:v libx265 -preset ultrafast \
    -b:v "$4" -maxrate "$4" -bufsize "$4" \
    -x265-params "keyint=50:min-keyint=50:scenecut=0:bframes=0:frame-threads=1:slices=1:repeat-headers=1:info=0:aud=0:log-level=error" \
    -bsf:v filter_units=remove_types=39-40 -f hevc "$1.part"
  mv "$1.part" "$1.265"
}
packetize() { # name 264|265 mp4-tag
  [ -s "$1.rtp" ] && return
  # By way of MP4, so that the timestamps of B-frames are right; nothing is paced; SSRC and offsets are fixed.
  ffmpeg -nostdin -v error -y -fflags +genpts -r 25 -i "$1.$2" -c copy -tag:v "$3" -f mp4 "$1.mp4"
  gst-launch-1.0 -q filesrc location="$1.mp4" ! qtdemux ! "h$2parse" config-interval=-1 \
    ! "rtph$2pay" mtu=1400 config-interval=-1 pt=96 ssrc=1234 seqnum-offset=0 timestamp-offset=0 \
    ! rtpstreampay ! filesink location="$1.part"
  mv "$1.part" "$1.rtp"
  rm "$1.mp4"
}
encode_h264 h264_1080p   1920x1080 60 4M  0; packetize h264_1080p   264 avc1
encode_h264 h264_1080p_b 1920x1080 60 4M  2; packetize h264_1080p_b 264 avc1
encode_h264 h264_4k      3840x2160 20 16M 0; packetize h264_4k      264 avc1
encode_h265 h265_1080p   1920x1080 60 2M   ; packetize h265_1080p   265 hvc1
sha256sum -- *.rtp
