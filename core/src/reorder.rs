//! RTP packets back into order.
