//! RTP and RTCP packets, RFC 3550.
