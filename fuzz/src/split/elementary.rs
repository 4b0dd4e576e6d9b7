//! H.264 and H.265 without packets: Annex B.

use vigie::depacket::AnnexBReader;
use vigie::h26x::Codec;
use vigie::limits::Limits;

/// The same access units.
pub(crate) fn elementary_split(bytes: &[u8]) {
    for codec in [Codec::H264, Codec::H265] {
        super::split(bytes, |pieces| units(pieces, codec));
    }
}

fn units(pieces: &[&[u8]], codec: Codec) -> Vec<String> {
    let limits = Limits::default();
    let (mut reader, mut out) = (AnnexBReader::new(codec, &limits), vec![]);
    for piece in pieces {
        reader.push(piece);
        drain(&mut reader, &limits, &mut out);
    }
    reader.finish();
    drain(&mut reader, &limits, &mut out);
    out
}

fn drain(reader: &mut AnnexBReader, limits: &Limits, out: &mut Vec<String>) {
    while let Some(unit) = reader.pull() {
        crate::depacket::check(&unit, limits);
        out.push(format!("{:?} {:?} {:?} {:?}", unit.data, unit.random_access, unit.order, unit.loss));
    }
}
