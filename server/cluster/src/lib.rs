//! Clusters: kubeconfig, consent, logins, sessions, watches, rights, actions; lists from a file. Async.
