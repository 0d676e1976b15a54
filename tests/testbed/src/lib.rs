//! A real Kubernetes control plane with Flux and Gitea, on loopback, for tests and by hand.
