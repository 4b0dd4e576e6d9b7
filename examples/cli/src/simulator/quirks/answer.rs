//! What is asked and answered, and profiles of answers that are wrong.

use super::packet::Item;
use super::{Act, Profile};
use vigie::fault::Quirk;

/// A request of the client.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) uri: String,
    /// Names exactly as written.
    pub(super) fields: Vec<(String, String)>,
    body: Vec<u8>,
    /// It keeps the session alive.
    pub(super) counts: bool,
    /// It came while playing, and asks for nothing.
    pub(super) keep_alive: bool,
}

impl Asked {
    /// The first request in `bytes` and its length; `None` while it is not whole.
    pub(super) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(bytes.get(..head)?).into_owned();
        let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
        let mut words = lines.next()?.split(' ');
        let mut asked = Self {
            method: words.next()?.to_owned(),
            uri: words.next().unwrap_or_default().to_owned(),
            fields: lines.map(field).collect(),
            counts: true,
            ..Self::default()
        };
        let length = head + asked.field("Content-Length").and_then(|n| n.parse().ok()).unwrap_or(0);
        asked.body = bytes.get(head..length)?.to_vec();
        Some((asked, length))
    }

    /// The first field of this name, in any case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn field_mut(&mut self, name: &str) -> Option<&mut String> {
        self.fields.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn may_keep_alive(&self) -> bool {
        matches!(self.method.as_str(), "OPTIONS" | "GET_PARAMETER" | "SET_PARAMETER")
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} RTSP/1.0\r\n", self.method, self.uri);
        for (name, value) in &self.fields {
            out += &format!("{name}: {value}\r\n");
        }
        [out.as_bytes(), b"\r\n", &self.body].concat()
    }
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_owned(), value.trim().to_owned())
}

/// What becomes of a request.
pub(super) enum Verdict {
    /// The honest server answers it.
    Pass,
    /// Nobody does.
    Ignore,
    /// The connection is closed.
    Close,
    /// This is the answer.
    Say(Answer),
}

/// An answer on its way to the client.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Code and phrase.
    pub(super) status: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// What goes out before it.
    pub(super) before: Vec<Item>,
    /// It goes out after the first picture.
    pub(super) held: bool,
    /// The connection is closed after it.
    pub(super) last: bool,
}

impl Answer {
    /// An answer to `asked` without anything but its number.
    pub(super) fn to(asked: &Asked, status: &str) -> Self {
        let cseq = asked.field("CSeq").unwrap_or("0").to_owned();
        Self { status: status.to_owned(), fields: vec![("CSeq".to_owned(), cseq)], ..Self::default() }
    }

    /// Out of the honest server's bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(bytes.get(..head)?).into_owned();
        let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
        let status = lines.next()?.strip_prefix("RTSP/1.0 ")?.to_owned();
        let fields = lines.map(field).filter(|(name, _)| name != "Content-Length").collect();
        Some(Self { status, fields, body: bytes.get(head..)?.to_vec(), ..Self::default() })
    }

    pub(super) fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }

    pub(super) fn write(&mut self, out: &mut Vec<u8>, channels: (u8, u8)) {
        self.before.iter().for_each(|item| item.frame(channels, out));
        out.extend(format!("RTSP/1.0 {}\r\n", self.status).as_bytes());
        for (name, value) in &self.fields {
            out.extend(format!("{name}: {value}\r\n").as_bytes());
        }
        if !self.body.is_empty() {
            out.extend(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend(b"\r\n");
        out.extend(&self.body);
    }

    /// Replaces the field of this name, or adds it.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|(n, _)| n != name);
    }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new("needs-exact-cseq", "28", "unnamed (go2rtc issue 7)", "reads `CSeq` in this spelling only")
        .acts(&[Act::Request(|asked, _| match asked.fields.iter().any(|(name, _)| name == "CSeq") {
            true => Verdict::Pass,
            false => Verdict::Say(Answer::to(asked, "400 Bad Request")),
        })]),
    Profile::new("trailing-blanks", "29", "Longse", "writes blanks after the values of its fields").acts(&[
        Act::Answer(|_, answer, _| answer.fields.iter_mut().for_each(|(_, value)| value.push_str("  "))),
    ]),
    Profile::new(
        "empty-field",
        "30",
        "Dahua",
        "writes a field without a value, and no words after the status",
    )
    .acts(&[Act::Answer(|_, answer, _| {
        answer.status.truncate(3);
        answer.set("x-Accept-Dynamic-Rate", "");
    })]),
    Profile::new("no-cseq", "31", "unnamed (live555 RTSPClient.cpp)", "answers without `CSeq`")
        .quirk(Quirk::NoCSeq)
        .acts(&[Act::Answer(|_, answer, _| answer.remove("CSeq"))]),
    Profile::new("play-needs-range", "36", "Parrot", "plays nothing where PLAY has no Range").acts(&[
        Act::Request(|asked, memory| {
            memory.mute |= asked.method == "PLAY" && asked.field("Range").is_none();
            Verdict::Pass
        }),
    ]),
    Profile::new("no-content-type", "37", "unnamed (retina 0.4.7)", "does not say that a description is SDP")
        .quirk(Quirk::NoContentType)
        .acts(&[Act::Answer(|_, answer, _| answer.remove("Content-Type"))]),
    Profile::new("bad-content-base", "38", "Anjvision", "leaves the scheme out of Content-Base")
        .quirk(Quirk::BadContentBase)
        .acts(&[Act::On("DESCRIBE", |_, answer, _| {
            let base = answer.get("Content-Base").trim_start_matches("rtsp://").to_owned();
            answer.set("Content-Base", &base);
        })]),
    Profile::new(
        "doubled-content-base",
        "39",
        "Vikylin",
        "writes the scheme of Content-Base twice, and an IPv6 address without brackets",
    )
    .quirk(Quirk::BadContentBase)
    .acts(&[Act::On("DESCRIBE", |_, answer, _| {
        let base = answer.get("Content-Base").trim_start_matches("rtsp://").to_owned();
        let mapped = if base.starts_with(|c: char| c.is_ascii_digit()) { "::ffff:" } else { "" };
        answer.set("Content-Base", &format!("rtsp://rtsp://{mapped}{base}"));
    })]),
    Profile::new(
        "base-with-query",
        "41",
        "Dahua, Hikvision",
        "wants the control after the query of its address, and knows no other",
    )
    .query("?channel=1&subtype=0")
    .acts(&[Act::Request(|asked, memory| {
        if asked.method == "DESCRIBE" {
            memory.kept = asked.uri.trim_end_matches('/').as_bytes().to_vec();
        }
        let base = String::from_utf8_lossy(&memory.kept).into_owned();
        match asked.method == "SETUP" && asked.uri != format!("{base}/video") {
            true => Verdict::Say(Answer::to(asked, "404 Not Found")),
            false => Verdict::Pass,
        }
    })]),
    Profile::new(
        "slash-in-control",
        "42",
        "unnamed (go2rtc issue 1236)",
        "ends its base with a slash, and refuses two of them",
    )
    .acts(&[
        Act::Request(|asked, _| match asked.uri.trim_start_matches("rtsp://").contains("//") {
            true => Verdict::Say(Answer::to(asked, "404 Not Found")),
            false => Verdict::Pass,
        }),
        Act::On("DESCRIBE", |_, answer, _| {
            let base = answer.get("Content-Base").trim_end_matches('/').to_owned();
            answer.set("Content-Base", &format!("{base}/"));
        }),
    ]),
    Profile::new(
        "foreign-rtp-info",
        "43",
        "GW Security GW4089IP, Reolink",
        "names another stream in RTP-Info, without a scheme, and one that was never set up",
    )
    .acts(&[Act::On("PLAY", |_, answer, _| {
        answer.set("RTP-Info", "url=192.0.2.9/trackID=7;seq=9;rtptime=9,url=trackID=9;seq=1");
    })]),
    Profile::new(
        "constant-seq",
        "44",
        "Hikvision DS-2CD2032-I, Tapo C320WS",
        "says seq=1 in RTP-Info, whatever the first packet's number is",
    )
    .acts(&[Act::On("PLAY", |asked, answer, _| {
        answer.set("RTP-Info", &format!("url={}/video;seq=1", base(asked)));
    })]),
    Profile::new(
        "zero-rtptime",
        "45",
        "EvoStream (UniFi), OMNY M5S2A",
        "says rtptime=0 for its Range, whatever the first packet's timestamp is",
    )
    .acts(&[Act::On("PLAY", |asked, answer, _| {
        answer.set("Range", "clock=20200101T000000Z-");
        answer.set("RTP-Info", &format!("url={}/video;seq=0;rtptime=0", base(asked)));
    })]),
    Profile::new(
        "bad-rtptime",
        "45",
        "the camera of retina's issue 64",
        "writes an rtptime that is no number",
    )
    .acts(&[Act::On("PLAY", |asked, answer, _| {
        answer.set("Range", "clock=20200101T000000Z-");
        answer.set("RTP-Info", &format!("url={}/video;seq=4294967295;rtptime=(null)", base(asked)));
    })]),
    Profile::new("rtp-info-with-holes", "46", "Laureii", "leaves parts of RTP-Info empty")
        .acts(&[Act::On("PLAY", |asked, answer, _| {
            answer.set("RTP-Info", &format!(",url={}/video;;seq=;,", base(asked)))
        })]),
    Profile::new("rtp-info-without-numbers", "47", "many", "gives a URL in RTP-Info and no numbers").acts(&[
        Act::On("PLAY", |asked, answer, _| answer.set("RTP-Info", &format!("url={}/video", base(asked)))),
    ]),
    Profile::new(
        "ssrc-in-rtp-info",
        "48",
        "Reolink",
        "names its SSRC in RTP-Info alone; packets of another one come first",
    )
    .acts(&[
        Act::On("PLAY", |asked, answer, memory| {
            answer.set("RTP-Info", &format!("url={}/video;ssrc={:08X}", base(asked), memory.ssrc));
        }),
        Act::Packets(super::stray::old_session_first),
    ]),
    Profile::new(
        "two-sessions",
        "55",
        "Tapo, Hikvision over Wi-Fi",
        "serves two viewers, and answers 453 to the third",
    )
    .acts(&[Act::Request(|asked, memory| match asked.method == "SETUP" && memory.viewers > 2 {
        true => Verdict::Say(Answer::to(asked, "453 Not Enough Bandwidth")),
        false => Verdict::Pass,
    })]),
];

/// What PLAY asked for, without a slash at its end.
fn base(asked: &Asked) -> &str {
    asked.uri.trim_end_matches('/')
}
