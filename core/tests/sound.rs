//! Init segments of sound, read by readers of other people: Mozilla's `mp4parse` and `mp4-atom`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Cursor;
use std::sync::Arc;

use mp4_atom::{Any, Codec, Moov, ReadFrom as _};
use mp4parse::{AudioCodecSpecific, CodecType, SampleEntry};
use vigie::depacket::AudioDepacketizer;
use vigie::fragment::InitSegment;
use vigie::limits::Limits;
use vigie::sdp::Presentation;
use vigie::timeline::PlainFormat;

fn init(rtpmap: &str, fmtp: &str) -> InitSegment {
    let sdp = format!("v=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 {rtpmap}\r\na=fmtp:97 {fmtp}\r\n");
    let presentation = Presentation::parse(sdp, &Limits::default()).unwrap();
    let (_, media) = presentation.audio().unwrap();
    let audio = AudioDepacketizer::new(media, &Limits::default()).unwrap();
    InitSegment::plain(PlainFormat::Audio(Arc::clone(audio.format())))
}

fn moov(bytes: &[u8]) -> Moov {
    let mut reader = Cursor::new(bytes);
    loop {
        if let Any::Moov(moov) = Any::read_from(&mut reader).unwrap() {
            return moov;
        }
    }
}

#[test]
fn aac_is_told_in_an_es_descriptor() {
    let fmtp = "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1210";
    let init = init("mpeg4-generic/44100/2", fmtp);
    assert_eq!((init.codec_string(), init.size()), ("mp4a.40.2".into(), (0, 0)));
    let context = mp4parse::read_mp4(&mut Cursor::new(&init.bytes)).unwrap();
    let track = &context.tracks[0];
    assert_eq!(track.track_type, mp4parse::TrackType::Audio);
    let SampleEntry::Audio(entry) = &track.stsd.as_ref().unwrap().descriptions[0] else { panic!() };
    assert_eq!((entry.codec_type, entry.channelcount, entry.samplerate), (CodecType::AAC, 2, 44_100.0));
    let AudioCodecSpecific::ES_Descriptor(descriptor) = &entry.codec_specific else { panic!() };
    assert_eq!(&descriptor.decoder_specific_data[..], [0x12, 0x10]);
    assert_eq!((descriptor.audio_object_type, descriptor.audio_sample_rate), (Some(2), Some(44_100)));
    let moov = moov(&init.bytes);
    let Codec::Mp4a(entry) = &moov.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!() };
    let specific = entry.esds.es_desc.dec_config.dec_specific.as_ref().unwrap();
    assert_eq!((specific.profile, specific.freq_index, specific.chan_conf), (2, 4, 2));
    assert_eq!(entry.esds.es_desc.dec_config.object_type_indication, 0x40);
    assert!(moov.trak[0].mdia.minf.smhd.is_some());
}

#[test]
fn opus_and_pcm_have_entries_of_their_own() {
    let init_opus = init("opus/48000/2", "x");
    let context = mp4parse::read_mp4(&mut Cursor::new(&init_opus.bytes)).unwrap();
    let SampleEntry::Audio(entry) = &context.tracks[0].stsd.as_ref().unwrap().descriptions[0] else {
        panic!()
    };
    assert_eq!((entry.codec_type, entry.channelcount, entry.samplerate), (CodecType::Opus, 2, 48_000.0));
    let moov_opus = moov(&init_opus.bytes);
    let Codec::Opus(entry) = &moov_opus.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!() };
    assert_eq!((entry.dops.output_channel_count, entry.dops.input_sample_rate), (2, 48_000));
    for (rtpmap, kind) in [("PCMU/8000", "ulaw"), ("PCMA/8000", "alaw"), ("L16/16000/1", "twos")] {
        let init = init(rtpmap, "x");
        assert_eq!(init.codec_string(), kind);
        let context = mp4parse::read_mp4(&mut Cursor::new(&init.bytes)).unwrap();
        assert_eq!(context.tracks[0].track_type, mp4parse::TrackType::Audio);
        let at = init.bytes.windows(4).position(|w| w == kind.as_bytes()).unwrap();
        // Channels, 16 bits, no compression, the rate in 16.16: QuickTime File Format, "Sound sample description".
        let rate: u16 = rtpmap.split('/').nth(1).unwrap().parse().unwrap();
        let mut expected = vec![0, 1, 0, 16, 0, 0, 0, 0];
        expected.extend(rate.to_be_bytes());
        assert_eq!(init.bytes[at + 20..at + 30], expected[..], "{kind}");
    }
}
