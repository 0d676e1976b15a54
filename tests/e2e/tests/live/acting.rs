//! Actions: what asks, what ends in an answer, what can be given up.

use std::time::{Duration, Instant};

use e2e::binary::Home;
use e2e::shop::Shop;
use serde_json::{Value, json};
use testbed::{Auth, Role};

use crate::{SHOPS, admin, connected, on, questions, story, yes};

#[test]
fn what_is_suspended_says_so_and_can_be_resumed() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "suspended").await?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging: live main@");

        // By the lens.
        cluster.patch(&shop.object(), json!({"spec": {"suspend": true}})).await?;
        let rows = editor.wait_lens(&file, "Resume…");
        assert!(rows.iter().any(|row| row.contains("staging: suspended")), "{rows:#?}");
        let hover = editor.wait_hover(&file, "Kustomization", "suspended by");
        assert!(hover.contains("at the latest"), "{hover}");
        editor.press(&file, "Resume…");
        editor.wait_for("the object to be resumed", |editor| {
            let rows = editor.lenses(&file);
            (!rows.iter().any(|row| row.contains("suspended"))
                && rows.iter().filter(|row| row.contains('✓')).count() == 3)
                .then_some(())
        });
        let asked = questions(&editor);
        assert_eq!(asked.len(), 1, "{asked:#?}");
        assert!(
            asked[0].starts_with("Resume Kustomization/flux-system/suspended in staging ("),
            "{asked:#?}"
        );
        assert!(!cluster.get(&shop.object()).await?.unwrap()["spec"]["suspend"].as_bool().unwrap_or(false));

        // By the offer: reconciling what is suspended changes nothing before somebody takes it.
        editor.execute("fluxcd.suspend", on(&shop.object()));
        editor.wait_lens(&file, "staging: suspended");
        editor.answer(|method, params| match params["actions"][0]["title"].as_str() {
            Some("Resume") => None,
            _ => yes(method, params),
        });
        editor.execute("fluxcd.reconcile", on(&shop.object()));
        editor.wait_sentence(&["staging", "is suspended: resume it first"]);
        assert!(cluster.get(&shop.object()).await?.unwrap()["spec"]["suspend"].as_bool().unwrap());
        editor.heard.clear();
        editor.answer(yes);
        editor.execute("fluxcd.reconcile", on(&shop.object()));
        editor.wait_sentence(&["Kustomization/flux-system/suspended is ready"]);
        let asked = questions(&editor);
        assert!(
            asked.len() == 1 && asked[0].contains("resume it first"),
            "the offer is the question: {asked:#?}"
        );
        editor.stop();
        Ok(())
    });
}

#[test]
fn a_protected_context_asks_every_time_and_another_one_once() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "guarded").await?;
        let file = shop.flux_file();
        for (context, asked) in [("staging", 1), ("prod", 2)] {
            let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await?.named(context)?;
            let home = Home::new();
            let mut editor = connected(&home, &shop, &kubeconfig);
            editor.wait_lens(&file, "Reconcile now");
            for count in 1..=2 {
                editor.press(&file, "Reconcile now");
                editor.wait_for("an answer", |editor| {
                    let answers = editor.sentences().iter().filter(|it| it.contains("is ready")).count();
                    (answers == count).then_some(())
                });
            }
            let questions = questions(&editor);
            assert_eq!(questions.len(), asked, "{context}: {questions:#?}");
            assert!(questions[0].contains(&format!(" in {context} ({})", cluster.url())), "{questions:#?}");

            // No is no.
            if context == "prod" {
                let before = cluster.get(&shop.source()).await?.unwrap();
                editor.heard.clear();
                editor.answer(|_, params| Some(params["actions"][1].clone()));
                editor.press(&file, "Reconcile now");
                editor.wait_sentence(&["Reconcile", "prod"]);
                // The next action begins after this one has ended.
                editor.answer(yes);
                editor.execute(
                    "fluxcd.reconcile",
                    json!({"cluster": "prod", "object": format!("{}-root", shop.object())}),
                );
                editor.wait_sentence(&["-root is ready"]);
                let after = cluster.get(&shop.source()).await?.unwrap();
                assert_eq!(before["metadata"]["annotations"], after["metadata"]["annotations"]);
            }
            editor.stop();
        }
        Ok(())
    });
}

#[test]
fn a_hundred_presses_freeze_nothing() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "presses").await?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        let file = shop.flux_file();
        editor.wait_lens(&file, "Reconcile now");

        let text = std::fs::read_to_string(&file).unwrap();
        let objects = [shop.object(), format!("{}-root", shop.object()), shop.source()];
        let began = Instant::now();
        let presses: Vec<i64> = (0..100)
            .map(|press| {
                let mut argument = on(&objects[press % objects.len()]);
                argument["withSource"] = (press % 2 == 0).into();
                editor.ask(
                    "workspace/executeCommand",
                    json!({"command": "fluxcd.reconcile", "arguments": [argument]}),
                )
            })
            .collect();
        editor.change(&file, &format!("# typed meanwhile\n{text}"));
        let asked = Instant::now();
        let hover = editor.wait_hover(&file, "Kustomization", "staging");
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(2), "a hover took {waited:?}: {hover}");
        for press in presses {
            let reply = editor.reply(press);
            assert!(reply.get("error").is_none(), "{reply}");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "the presses were taken in {:?}", began.elapsed());
        for object in &objects {
            editor.wait_sentence(&[&format!("{object} is ready")]);
        }
        editor.wait_for("every action to end", |editor| {
            began_and_not_ended(&editor.heard).is_empty().then_some(())
        });
        let questions = questions(&editor);
        assert_eq!(questions.len(), 1, "the first action on a context asks once: {questions:#?}");
        editor.stop();
        Ok(())
    });
}

/// The tokens of progress that was begun and has not ended.
fn began_and_not_ended(heard: &[Value]) -> Vec<Value> {
    let of = |kind: &str| -> Vec<Value> {
        let progress =
            heard.iter().filter(|it| it["method"] == "$/progress" && it["params"]["value"]["kind"] == kind);
        progress.map(|it| it["params"]["token"].clone()).collect()
    };
    let ended = of("end");
    of("begin").into_iter().filter(|token| !ended.contains(token)).collect()
}

#[test]
fn an_action_that_takes_long_can_be_given_up() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "given-up").await?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        let file = shop.flux_file();
        editor.wait_lens(&file, "Reconcile now");

        // Its pods never become ready, so Flux checks their health for a minute.
        let stuck = shop.push_stuck();
        editor.press(&file, "Reconcile now");
        editor.wait_lens(&file, &format!("main@{stuck}"));
        let token = editor.wait_for("progress", |editor| began_and_not_ended(&editor.heard).first().cloned());
        let pressed = Instant::now();
        editor.notify("window/workDoneProgress/cancel", json!({"token": token}));
        editor.wait_for("the end of the progress", |editor| {
            began_and_not_ended(&editor.heard).is_empty().then_some(())
        });
        assert!(pressed.elapsed() < Duration::from_secs(5), "given up after {:?}", pressed.elapsed());
        // It is told that the cluster goes on, or nothing; never that it failed.
        assert!(editor.sentences().iter().all(|it| !it.contains("failed")), "{:#?}", editor.sentences());
        // And it can be asked for again.
        shop.push_fixed();
        editor.heard.clear();
        editor.press(&file, "Reconcile now");
        editor.wait_for("progress again", |editor| {
            let begun = |it: &Value| it["method"] == "$/progress" && it["params"]["value"]["kind"] == "begin";
            editor.heard.iter().any(begun).then_some(())
        });
        editor.stop();
        Ok(())
    });
}
