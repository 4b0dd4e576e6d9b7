//! A sequence parameter set that lies about the height: written bit by bit, without the parser under test.

/// Bits, most significant first.
struct Bits(Vec<bool>);

impl Bits {
    fn of(nal: &[u8]) -> Self {
        let mut rbsp: Vec<u8> = Vec::new();
        let mut zeros = 0;
        for byte in &nal[1..] {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            rbsp.push(*byte);
        }
        Self(rbsp.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect())
    }

    fn ue(&self, at: &mut usize) -> u32 {
        let zeros = self.0[*at..].iter().take_while(|bit| !**bit).count();
        let code =
            self.0[*at + zeros..=*at + 2 * zeros].iter().fold(0, |code, bit| code << 1 | u32::from(*bit));
        *at += 2 * zeros + 1;
        code - 1
    }
}

fn write_ue(value: u32) -> Vec<bool> {
    let code = value + 1;
    let bits = 32 - code.leading_zeros();
    let mut out = vec![false; bits as usize - 1];
    out.extend((0..bits).rev().map(|bit| code >> bit & 1 == 1));
    out
}

/// The same set with half as many rows of macroblocks.
pub(crate) fn half_height(sps: &[u8]) -> Vec<u8> {
    let bits = Bits::of(sps);
    let mut at = 24;
    bits.ue(&mut at); // seq_parameter_set_id
    if sps[1] >= 100 {
        assert_eq!(bits.ue(&mut at), 1, "4:2:0");
        bits.ue(&mut at);
        bits.ue(&mut at);
        at += 1;
        assert!(!bits.0[at], "no scaling lists");
        at += 1;
    }
    bits.ue(&mut at); // log2_max_frame_num_minus4
    match bits.ue(&mut at) {
        0 => drop(bits.ue(&mut at)),
        2 => {}
        other => panic!("pic_order_cnt_type {other}"),
    }
    bits.ue(&mut at); // max_num_ref_frames
    at += 1;
    bits.ue(&mut at); // pic_width_in_mbs_minus1
    let start = at;
    let rows = bits.ue(&mut at) + 1;
    let mut out = bits.0[..start].to_vec();
    out.extend(write_ue(rows / 2 - 1));
    out.extend(&bits.0[at..]);
    // The stop bit ends the set; what is behind it moves.
    while out.last() == Some(&false) {
        out.pop();
    }
    out.resize(out.len().next_multiple_of(8), false);
    let mut nal = vec![sps[0]];
    let mut zeros = 0;
    for byte in out.chunks(8).map(|bits| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit))) {
        if zeros >= 2 && byte <= 3 {
            nal.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        nal.push(byte);
    }
    nal
}
