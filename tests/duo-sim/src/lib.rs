//! A simulator of Duo's Auth API v2.
