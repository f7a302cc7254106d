//! pam_duo
