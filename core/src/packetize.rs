//! NAL units to RTP payloads: the way back.
