//! Building: C.2 and C.3.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("K12", Kind::Kustomization, r#"kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'base': read /tmp/kustomization-42/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-42/apps/base': invalid Kustomization: json: unknown field "spec""#, expect![[r#"
            K12: kustomization of apps/base: key spec Unknown
              invalid Kustomization: json: unknown field "spec"
              own: spec.path
        "#]]),
        ("K13", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-42/base: is a directory': couldn't make target for path '/tmp/kustomization-42/base': invalid Kustomization: json: cannot unmarshal object into Go struct field Kustomization.images of type []types.Image", expect![[r#"
            K13: kustomization of base: key images Type { expected: "[]types.Image", got: "object" }
              invalid Kustomization: json: cannot unmarshal object into Go struct field Kustomization.images of type []types.Image
              own: spec.path
        "#]]),
        ("K13", Kind::Kustomization, "kustomize build failed: invalid Kustomization: json: cannot unmarshal string into Go struct field Kustomization.patches.target of type types.Selector", expect![[r#"
            K13: kustomization of <any>: key patches.target Type { expected: "types.Selector", got: "string" }
              invalid Kustomization: json: cannot unmarshal string into Go struct field Kustomization.patches.target of type types.Selector
              own: spec.path
        "#]]),
        ("K14", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'base': read /tmp/kustomization-42/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-42/apps/base': invalid Kustomization: yaml: line 1: did not find expected key", expect![[r#"
            K14: kustomization of apps/base: Syntax { line: Some(1) }
              invalid Kustomization: yaml: line 1: did not find expected key
              own: spec.path
        "#]]),
        ("K15", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'missing.yaml': open /tmp/kustomization-42/apps/missing.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '/tmp/kustomization-42/apps/missing.yaml' : lstat /tmp/kustomization-42/apps/missing.yaml: no such file or directory", expect![[r#"
            K15: kustomization of apps: LeadsTo("apps/missing.yaml")
              missing.yaml: no such file or directory
              own: spec.path
        "#]]),
        ("K15", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-42/base: is a directory': recursed accumulation of path '/tmp/kustomization-42/base': accumulating resources: accumulation err='accumulating resources from 'db.yaml': open /tmp/kustomization-42/base/db.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '/tmp/kustomization-42/base/db.yaml' : lstat /tmp/kustomization-42/base/db.yaml: no such file or directory", expect![[r#"
            K15: kustomization of base: LeadsTo("base/db.yaml")
              db.yaml: no such file or directory
              own: spec.path
        "#]]),
        ("K16", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulating resources from 'm.yaml': MalformedYAMLError: yaml: line 4: did not find expected key in File: m.yaml", expect![[r#"
            K16: file <spec.path>/m.yaml near line 4 Syntax
              MalformedYAMLError: yaml: line 4: did not find expected key in File: m.yaml
              own: spec.path
        "#]]),
        ("K16", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-42/base: is a directory': recursed accumulation of path '/tmp/kustomization-42/base': accumulating resources: accumulating resources from 'sub/m.yaml': MalformedYAMLError: yaml: line 4: did not find expected key in File: sub/m.yaml", expect![[r#"
            K16: file base/sub/m.yaml near line 4 Syntax
              MalformedYAMLError: yaml: line 4: did not find expected key in File: sub/m.yaml
              own: spec.path
        "#]]),
        ("K17", Kind::Kustomization, "failed to decode Kubernetes YAML from /tmp/kustomization-42/apps/values.yaml: missing Resource metadata", expect![[r#"
            K17: file apps/values.yaml NoObject
              apps/values.yaml is no Kubernetes YAML: missing Resource metadata
              own: spec.path
        "#]]),
        ("K17", Kind::Kustomization, "failed to decode Kubernetes YAML from /tmp/kustomization-42/apps/web.yaml: MalformedYAMLError: yaml: line 5: mapping values are not allowed in this context in File: /tmp/kustomization-42/apps/web.yaml", expect![[r#"
            K17: file apps/web.yaml near line 5 Syntax
              apps/web.yaml is no Kubernetes YAML: MalformedYAMLError: yaml: line 5: mapping values are not allowed in this context in File: apps/web.yaml
              own: spec.path
        "#]]),
        ("K18", Kind::Kustomization, "recovered from panic while parsing YAML file web.yaml: runtime error: index out of range", expect![[r#"
            K18: file **/web.yaml Syntax
              recovered from panic while parsing YAML file web.yaml: runtime error: index out of range
              own: spec.path
        "#]]),
        ("K19", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'values.yaml': missing Resource metadata': must build at directory: '/tmp/kustomization-42/apps/values.yaml': file is not directory", expect![[r#"
            K19: file apps/values.yaml NoObject
              missing Resource metadata
              own: spec.path
        "#]]),
        ("K20", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'm.yaml': missing metadata.name in object {{v1 ConfigMap} {{ } map[] map[]}}': must build at directory: '/tmp/kustomization-42/m.yaml': file is not directory", expect![[r#"
            K20: file m.yaml Nameless { api_version: "v1", kind: "ConfigMap" }
              missing metadata.name in ConfigMap (v1)
              own: spec.path
        "#]]),
        ("K21", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='merging resources from 'n.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/b.[noNs]': must build at directory: '/tmp/kustomization-42/n.yaml': file is not directory", expect![[r#"
            K21 ConfigMap/b of "": file n.yaml
              ConfigMap/b is there twice: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/b.[noNs]
              own: spec.path
        "#]]),
        ("K21", Kind::Kustomization, "kustomize build failed: accumulating resources: recursed merging from path '/tmp/kustomization-42/base': may not add resource with an already registered id: Deployment.v1.apps/web.shop", expect![[r#"
            K21 Deployment/shop/web of "apps": the object
              Deployment/shop/web is there twice: may not add resource with an already registered id: Deployment.v1.apps/web.shop
              own: spec.path
        "#]]),
        ("K22", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'base': read /tmp/kustomization-42/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-42/apps/base': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '/tmp/kustomization-42/apps/base'", expect![[r#"
            K22: kustomization of apps: LeadsTo("apps/base")
              apps/base has no kustomization.yaml
              own: spec.path
        "#]]),
        ("K23", Kind::Kustomization, "kustomize build failed: Found multiple kustomization files under: /tmp/kustomization-42/apps", expect![[r#"
            K23: kustomization of apps: Whole
              Found multiple kustomization files under: apps
              own: spec.path
        "#]]),
        ("K24", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../a': read /tmp/kustomization-42/a: is a directory': recursed accumulation of path '/tmp/kustomization-42/b': accumulating resources: accumulation err='accumulating resources from '../a': read /tmp/kustomization-42/a: is a directory': cycle detected: candidate root '/tmp/kustomization-42/a' contains visited root '/tmp/kustomization-42/a'", expect![[r#"
            K24: kustomization of b: LeadsTo("a")
              cycle detected: candidate root 'a' contains visited root 'a'
              own: spec.path
        "#]]),
        ("K25", Kind::Kustomization, r#"kustomize build failed: accumulating components: loader.New "must build at directory: not a valid directory: evalsymlink failure on '/tmp/kustomization-42/components/x' : lstat /tmp/kustomization-42/components/x: no such file or directory""#, expect![[r#"
            K25: kustomization of <any>: LeadsTo("components/x")
              component components/x: no such folder
              own: spec.components or spec.path
        "#]]),
        ("K25", Kind::Kustomization, r#"kustomize build failed: accumulating components: accumulateDirectory: "expected kind 'Component' for path '/tmp/kustomization-42/components/x' but got 'Kustomization'""#, expect![[r#"
            K25: kustomization of components/x: key kind Type { expected: "Component", got: "Kustomization" }
              expected kind 'Component' for path 'components/x' but got 'Kustomization'
              own: spec.components or spec.path
        "#]]),
        ("K26", Kind::Kustomization, "component path '/abs' must be local and relative", expect![[r#"
            K26: the Flux object
              component path '/abs' must be local and relative
              own: spec.components[/abs]
        "#]]),
        ("K27", Kind::Kustomization, r#"kustomize build failed: no resource matches strategic merge patch "Deployment.v1.apps/nope.[noNs]": no matches for Id Deployment.v1.apps/nope.[noNs]; failed to find unique target for patch Deployment.v1.apps/nope.[noNs]"#, expect![[r#"
            K27: patch of Deployment/nope
              there is no single Deployment/nope for this patch
              own: spec.patches["Deployment.v1.apps/nope.[noNs]"]
        "#]]),
        ("K28", Kind::Kustomization, "kustomize build failed: multiple matches for Id Deployment.v1.apps/web.[noNs]; failed to find unique target for patch Deployment.v1.apps/web.[noNs]", expect![[r#"
            K28: patch of Deployment/web
              there is more than one Deployment/web for this patch
              own: spec.patches["Deployment.v1.apps/web.[noNs]"]
        "#]]),
        ("K29", Kind::Kustomization, "kustomize build failed: replace operation does not apply: doc is missing path: /data/foo: missing value", expect![[r#"
            K29: patch replace /data/foo
              replace operation does not apply: doc is missing path: /data/foo: missing value
              own: spec.patches["/data/foo"]
        "#]]),
        ("K29", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'base': read /tmp/kustomization-4/base: is a directory': recursed accumulation of path '/tmp/kustomization-4/base': remove operation does not apply: doc is missing key: /metadata/labels/a~1b: missing value", expect![[r#"
            K29: patch remove /metadata/labels/a~1b
              remove operation does not apply: doc is missing key: /metadata/labels/a~1b: missing value
              own: spec.patches["/metadata/labels/a~1b"]
        "#]]),
        ("K29", Kind::Kustomization, r#"kustomize build failed: add operation does not apply: doc is missing path: "/spec/x/y": missing value"#, expect![[r#"
            K29: patch add /spec/x/y
              add operation does not apply: doc is missing path: "/spec/x/y": missing value
              own: spec.patches["/spec/x/y"]
        "#]]),
        ("K30", Kind::Kustomization, "kustomize build failed: trouble configuring builtin PatchTransformer with config: `\npatch: \"- op: add\"\n`: must specify a target for JSON patch [patch: \"- op: add\\n  path: /a\\n  value: b\\n\"]", expect![[r#"
            K30: patch "- op: add\n  path: /a\n  value: b\n"
              this JSON patch needs a target
              own: spec.patches["- op: add\n  path: /a\n  value: b\n"]
        "#]]),
        ("K30", Kind::Kustomization, r#"kustomize build failed: trouble configuring builtin PatchTransformer with config: `x`: unable to parse SM or JSON patch from [patch: "apiVersion: v1\nkind: x: y"]"#, expect![[r#"
            K30: patch "apiVersion: v1\nkind: x: y"
              this is neither a strategic merge patch nor a JSON patch
              own: spec.patches["apiVersion: v1\nkind: x: y"]
        "#]]),
        ("K31", Kind::Kustomization, "kustomize build failed: trouble configuring builtin PatchTransformer with config: `\npath: patches/web.yaml\n`: failed to get the patch file from path(patches/web.yaml): evalsymlink failure on '/tmp/kustomization-42/apps/patches/web.yaml' : lstat /tmp/kustomization-42/apps/patches: no such file or directory", expect![[r#"
            K31: kustomization of apps: LeadsTo("apps/patches/web.yaml")
              patch file patches/web.yaml: no such file
              own: spec.path
        "#]]),
        ("K31", Kind::Kustomization, "kustomize build failed: trouble configuring builtin PatchTransformer with config: `\npath: web.yaml\n`: failed to get the patch file from path(web.yaml): open /tmp/kustomization-42/apps/web.yaml: no such file or directory", expect![[r#"
            K31: kustomization of apps: LeadsTo("apps/web.yaml")
              patch file web.yaml: no such file
              own: spec.path
        "#]]),
        ("K32", Kind::Kustomization, "kustomize build failed: loading KV pairs: file sources: [app.conf]: open /tmp/kustomization-42/apps/app.conf: no such file or directory", expect![[r#"
            K32: kustomization of <any>: LeadsTo("apps/app.conf")
              file sources: apps/app.conf: no such file
              own: spec.path
        "#]]),
        ("K32", Kind::Kustomization, "kustomize build failed: loading KV pairs: env source files: [.env]: open /tmp/kustomization-42/apps/.env: no such file or directory", expect![[r#"
            K32: kustomization of <any>: LeadsTo("apps/.env")
              env source files: apps/.env: no such file
              own: spec.path
        "#]]),
        ("K33", Kind::Kustomization, "kustomize build failed: nothing selected by ConfigMap.[noVer].[noGrp]/settings.[noNs]:data.host", expect![[r#"
            K33: kustomization of <any>: key replacements NotFound
              nothing selected by ConfigMap.[noVer].[noGrp]/settings.[noNs]:data.host
              own: spec.path
        "#]]),
        ("K33", Kind::Kustomization, "kustomize build failed: fieldPath `data.host` is missing for replacement source ConfigMap.[noVer].[noGrp]/settings.[noNs]", expect![[r#"
            K33: kustomization of <any>: key replacements NotFound
              fieldPath `data.host` is missing for replacement source ConfigMap.[noVer].[noGrp]/settings.[noNs]
              own: spec.path
        "#]]),
        ("K34", Kind::Kustomization, "kustomize build failed: map[string]interface {}(nil): yaml: unmarshal errors:\n  line 8: mapping key \"replicas\" already defined at line 6", expect![[r#"
            K34: file <any> near line 8 DuplicateKey { key: "replicas", lines: Some((6, 8)) }
              mapping key "replicas" already defined at line 6
              own: spec.path
        "#]]),
        ("K35", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../../../etc': fs-security-constraint abs /tmp/kustomization-42/../etc: path '/tmp/kustomization-42/../etc' is not in or below '/tmp/kustomization-42'", expect![[r#"
            K35: kustomization of <any>: Text("../../../etc")
              fs-security-constraint abs ../etc: path '../etc' is not in or below '.'
              own: spec.path
        "#]]),
        ("K36", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'https://example.com/base.yaml': HTTP Error: status code 404 (Not Found)': must build at directory: not a valid directory: evalsymlink failure", expect![[r#"
            K36: kustomization of <any>: Text("https://example.com/base.yaml")
              https://example.com/base.yaml: HTTP Error: status code 404 (Not Found)
              own: spec.path
        "#]]),
        ("K36", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'github.com/org/base?ref=v1': URL is a git repository': hit 27s timeout running '/usr/bin/git fetch --depth=1'", expect![[r#"
            K36: kustomization of <any>: Text("github.com/org/base?ref=v1")
              github.com/org/base?ref=v1: timeout running '/usr/bin/git fetch --depth=1'
              own: spec.path
        "#]]),
        ("K37", Kind::Kustomization, "failed to decode Kubernetes apiVersion, kind and name from: kind: x\n", expect![[r#"
            K37: the Flux object
              failed to decode Kubernetes apiVersion, kind and name from: kind: x
              own: spec.path
        "#]]),
        ("-", Kind::Kustomization, "kustomize build failed: something that nobody has seen before", expect![[r#"
            -: the Flux object
              something that nobody has seen before
              own: spec.path
        "#]]),
        ("K38", Kind::Kustomization, r#"cannot get sops decryption Secret 'flux-system/sops-age': secrets "sops-age" not found"#, expect![[r#"
            K38: the Flux object
              cannot get sops decryption Secret 'flux-system/sops-age': secrets "sops-age" not found
              missing Secret/sops-age
              own: spec.decryption.secretRef.name
        "#]]),
        ("K39", Kind::Kustomization, "failed to import 'age.agekey' data from sops decryption Secret 'flux-system/sops-age': malformed secret key", expect![[r#"
            K39: the Flux object
              failed to import 'age.agekey' data from sops decryption Secret 'flux-system/sops-age': malformed secret key
              own: spec.decryption.secretRef.name
        "#]]),
        ("K40", Kind::Kustomization, "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format 'default/db' YAML data: Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: FAILED\n  age1x: FAILED\n    - | failed to load age identities: no identity matched", expect![[r#"
            K40 Secret/default/db of "": field sops Invalid
              cannot be decrypted: Failed to get the data key required to decrypt the SOPS file.
              own: spec.decryption
        "#]]),
        ("K40", Kind::Kustomization, "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format 'default/db' Secret field '.dockerconfigjson': x", expect![[r#"
            K40 Secret/default/db of "": field data[".dockerconfigjson"] Invalid
              cannot be decrypted: failed to decrypt and format 'default/db' Secret field '.dockerconfigjson': x
              own: spec.decryption
        "#]]),
        ("K40", Kind::Kustomization, "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format 'shop/db' Secret data: error decrypting sops tree: Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format", expect![[r#"
            K40 Secret/shop/db of "": somewhere Unencrypted
              cannot be decrypted: error decrypting sops tree: Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format
              own: spec.decryption
        "#]]),
        ("K41", Kind::Kustomization, "error decrypting sources: lstat apps/secrets/app.env: no such file or directory", expect![[r#"
            K41: kustomization of <any>: LeadsTo("apps/secrets/app.env")
              error decrypting sources: lstat apps/secrets/app.env: no such file or directory
              own: spec.decryption or spec.path
        "#]]),
        ("K42", Kind::Kustomization, "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format 'default/db' YAML data: failed to verify sops data integrity: expected mac 'A', got 'B'", expect![[r#"
            K42 Secret/default/db of "": field sops.mac Invalid
              cannot be decrypted: failed to verify sops data integrity: expected mac 'A', got 'B'
              own: spec.decryption
        "#]]),
        ("K42", Kind::Kustomization, "failed to verify sops data integrity: expected mac 'A', got 'B'", expect![[r#"
            K42: the Flux object
              failed to verify sops data integrity: expected mac 'A', got 'B'
              own: spec.decryption
        "#]]),
        ("K43", Kind::Kustomization, "Secret/default/db is SOPS encrypted, configuring decryption is required for this secret to be reconciled", expect![[r#"
            K43 Secret/default/db: field sops Forbidden
              Secret/default/db is SOPS encrypted, configuring decryption is required for this secret to be reconciled
              own: spec.decryption
        "#]]),
        ("K44", Kind::Kustomization, r#"post build failed for 'Deployment.v1.apps/web': envsubst error: variable substitution failed: variable not set (strict mode): "CLUSTER_ENV""#, expect![[r#"
            K44 Deployment/web of "apps": variable Named("CLUSTER_ENV")
              the variable CLUSTER_ENV is not set
              own: spec.postBuild
        "#]]),
        ("K45", Kind::Kustomization, "post build failed for 'ConfigMap.v1.[noGrp]/web.conf': envsubst error: 'my-var' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'", expect![[r#"
            K45 ConfigMap/web.conf of "": the Flux object
              'my-var' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'
              own: spec.postBuild.substitute.my-var or spec.postBuild.substituteFrom
        "#]]),
        ("K46", Kind::Kustomization, "post build failed for 'ConfigMap.v1.[noGrp]/scripts': envsubst error: variable substitution failed: missing closing brace", expect![[r#"
            K46 ConfigMap/scripts of "": variable Malformed
              missing closing brace
              hint: write `$${…}` for a literal, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`
              own: spec.postBuild
        "#]]),
        ("K47", Kind::Kustomization, "post build failed for 'ConfigMap.v1.[noGrp]/settings': envsubst error: YAMLToJSON: yaml: line 3: mapping values are not allowed in this context", expect![[r#"
            K47 ConfigMap/settings of "": variable Any
              with its variables replaced it is no YAML: YAMLToJSON: yaml: line 3: mapping values are not allowed in this context
              own: spec.postBuild
        "#]]),
        ("K48", Kind::Kustomization, r#"post build failed for 'Namespace.v1.[noGrp]/apps': substitute from 'ConfigMap/cluster-vars' error: configmaps "cluster-vars" not found"#, expect![[r#"
            K48 Namespace/apps of "": the Flux object
              substitute from 'ConfigMap/cluster-vars' error: configmaps "cluster-vars" not found
              missing ConfigMap/cluster-vars
              own: spec.postBuild.substituteFrom[ConfigMap/cluster-vars].name
        "#]]),
        ("K49", Kind::Kustomization, "error converting YAML to JSON: yaml: line 4: found character that cannot start any token", expect![[r#"
            K49: kustomization of <any>: Syntax { line: Some(4) }
              error converting YAML to JSON: yaml: line 4: found character that cannot start any token
              own: spec.path
        "#]]),
        ("K49", Kind::Kustomization, r#"Object 'Kind' is missing in '{"a":1}'"#, expect![[r#"
            K49: the Flux object
              Object 'Kind' is missing in '{"a":1}'
              own: spec.path
        "#]]),
        ("K14", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-1737828190/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-1737828190/apps/base': invalid Kustomization: yaml: line 4: did not find expected key", expect![[r#"
            K14: kustomization of apps/base: Syntax { line: Some(4) }
              invalid Kustomization: yaml: line 4: did not find expected key
              own: spec.path
        "#]]),
        ("K15", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../../bases/web': open /tmp/kustomization-4085488802/bases/web: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '/tmp/kustomization-4085488802/bases/web' : lstat /tmp/kustomization-4085488802/bases: no such file or directory", expect![[r#"
            K15: kustomization of <any>: LeadsTo("bases/web")
              ../../bases/web: no such file or directory
              own: spec.path
        "#]]),
        ("K19", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'web.yaml': missing kind in object {{v1 } {{web } map[] map[]}}': must build at directory: '/tmp/kustomization-1763704539/apps/web.yaml': file is not directory", expect![[r#"
            K19: file apps/web.yaml NoObject
              missing kind in object {{v1 } {{web } map[] map[]}}
              own: spec.path
        "#]]),
        ("K29", Kind::Kustomization, "kustomize build failed: testing value /spec/template/spec/containers/0/name failed: test failed", expect![[r#"
            K29: patch test /spec/template/spec/containers/0/name
              testing value /spec/template/spec/containers/0/name failed: test failed
              own: spec.patches["/spec/template/spec/containers/0/name"]
        "#]]),
        ("K29", Kind::Kustomization, "kustomize build failed: error in remove for path: '/spec/template/spec/containers/0/resources': Unable to remove nonexistent key: resources: missing value", expect![[r#"
            K29: patch remove /spec/template/spec/containers/0/resources
              remove /spec/template/spec/containers/0/resources: Unable to remove nonexistent key: resources: missing value
              own: spec.patches["/spec/template/spec/containers/0/resources"]
        "#]]),
        ("K36", Kind::Kustomization, r#"kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'https://bases.invalid/web.yaml': Get "https://bases.invalid/web.yaml": dial tcp: lookup bases.invalid on 10.96.0.10:53: no such host': must build at directory: not a valid directory: evalsymlink failure on '/tmp/kustomization-3768323275/apps/https:/bases.invalid/web.yaml' : lstat /tmp/kustomization-3768323275/apps/https:: no such file or directory"#, expect![[r#"
            K36 (cluster): kustomization of <any>: Text("https://bases.invalid/web.yaml")
              Get "https://bases.invalid/web.yaml": dial tcp: lookup bases.invalid on 10.96.0.10:53: no such host
              own: spec.path
        "#]]),
        ("K35", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../../shared/web.yaml': fs-security-constraint read /tmp/shared/web.yaml: path '/tmp/shared/web.yaml' is not in or below '/tmp/kustomization-120184550': must build at directory: not a valid directory: evalsymlink failure on '/tmp/shared/web.yaml' : lstat /tmp/shared: no such file or directory", expect![[r#"
            K35: kustomization of <any>: Text("../../shared/web.yaml")
              fs-security-constraint read /tmp/shared/web.yaml: path '/tmp/shared/web.yaml' is not in or below '.
              own: spec.path
        "#]]),
        ("K38", Kind::Kustomization, r#"secrets "sops-age" not found"#, expect![[r#"
            K38: the Flux object
              secrets "sops-age" not found
              missing Secret/sops-age
              own: spec.decryption.secretRef.name or spec.kubeConfig.secretRef.name = sops-age
        "#]]),
        ("K44", Kind::Kustomization, r#"post build failed for 'ConfigMap.v1.[noGrp]/settings-${STAGE}': envsubst error: variable substitution failed: variable not set (strict mode): "STAGE""#, expect![[r#"
            K44 ConfigMap/settings-${STAGE} of "": variable Named("STAGE")
              the variable STAGE is not set
              own: spec.postBuild
        "#]]),
        ("K41", Kind::Kustomization, "error decrypting sources: cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: FAILED\n  age1x: FAILED\n    - | locations 'SOPS_AGE_KEY'", expect![[r#"
            K41: kustomization of <any>: Encrypted
              error decrypting sources: cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.
              own: spec.decryption or spec.path
        "#]]),
        ("K25", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../metrics': read /tmp/kustomization-1/apps/metrics: is a directory': expected kind != 'Component' for path '/tmp/kustomization-1/apps/metrics'", expect![[r#"
            K25: kustomization of <any>: LeadsTo("apps/metrics")
              apps/metrics is a Component: it belongs in `components`
              own: spec.path
        "#]]),
        ("K13", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-1/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-1/apps/base': Failed to read kustomization file under /tmp/kustomization-1/apps/base:\nkind should be Kustomization or Component", expect![[r#"
            K13: kustomization of apps/base: key kind Invalid
              kind should be Kustomization or Component
              own: spec.path
        "#]]),
        ("K14", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-1/apps/base: is a directory': couldn't make target for path '/tmp/kustomization-1/apps/base': kustomization.yaml is empty", expect![[r#"
            K14: kustomization of apps/base: Whole
              kustomization.yaml is empty
              own: spec.path
        "#]]),
        ("K12", Kind::Kustomization, "kustomize build failed: trouble configuring builtin HelmChartInflationGenerator with config: `\nname: redis\n`: must specify --enable-helm", expect![[r#"
            K12: kustomization of <any>: key helmCharts Forbidden
              Flux does not inflate Helm charts in a kustomization: use a HelmRelease
              own: spec.path
        "#]]),
        ("K21", Kind::Kustomization, r#"kustomize build failed: namespace transformation produces ID conflict: [{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"x"}}]"#, expect![[r#"
            K21: kustomization of <any>: key namespace Duplicate
              namespace transformation produces ID conflict: [{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"x"}}]
              own: spec.path
        "#]]),
        ("K27", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-1/apps/base: is a directory': recursed accumulation of path '/tmp/kustomization-1/apps/base': resource with name web does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp]]", expect![[r#"
            K27: kustomization of apps/base: key replicas[name="web"].name NotFound
              there is nothing called web that has replicas
              own: spec.path
        "#]]),
        ("K32", Kind::Kustomization, r#"kustomize build failed: merging from generator &{0xc000 { } {map[] map[] false} {{ settings merge {[] [] [] }} <nil>}}: id resid.ResId{Gvk:resid.Gvk{Group:"", Version:"v1", Kind:"ConfigMap", isClusterScoped:false}, Name:"settings", Namespace:""} does not exist; cannot merge or replace"#, expect![[r#"
            K32: kustomization of <any>: key configMapGenerator[name="settings"].name Invalid
              ConfigMap settings does not exist: a generator cannot merge or replace it
              own: spec.path
        "#]]),
        ("K32", Kind::Kustomization, "kustomize build failed: configmap settings illegally repeats the key `color`", expect![[r#"
            K32: kustomization of <any>: key configMapGenerator[name="settings"] Duplicate
              the key color is there twice
              own: spec.path
        "#]]),
        ("K32", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../base': read /tmp/kustomization-1/apps/base: is a directory': recursed accumulation of path '/tmp/kustomization-1/apps/base': loading KV pairs: literal sources [color]: invalid literal source color, expected key=value", expect![[r#"
            K32: kustomization of apps/base: Text("color")
              invalid literal source color, expected key=value
              own: spec.path
        "#]]),
        ("K34", Kind::Kustomization, "kustomize build failed: invalid Kustomization: label name 'app' exists in both commonLabels and labels", expect![[r#"
            K34: kustomization of <any>: key commonLabels.app Duplicate
              the label app is in both commonLabels and labels
              own: spec.path
        "#]]),
        ("K35", Kind::Kustomization, "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '/etc/x': open /etc/x: no such file or directory': new root '/etc/x' cannot be absolute", expect![[r#"
            K35: kustomization of <any>: Text("/etc/x")
              /etc/x is absolute
              own: spec.path
        "#]]),
        ("K30", Kind::Kustomization, "kustomize build failed: trouble configuring builtin PatchTransformer with config: `\ntarget:\n  kind: Deployment\n`: must specify one of patch and path in\ntarget:\n  kind: Deployment\n", expect![[r#"
            K30: kustomization of <any>: key patches Invalid
              an entry of patches has neither patch nor path
              own: spec.patches or spec.postRenderers or spec.kustomize.patches or spec.path
        "#]]),
        ("K30", Kind::Kustomization, r#"kustomize build failed: Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: [patch: "kind: A\n---\nkind: B\n"]"#, expect![[r#"
            K30: patch "kind: A\n---\nkind: B\n"
              a patch of several documents cannot have a target
              own: spec.patches["kind: A\n---\nkind: B\n"]
        "#]]),
        ("K33", Kind::Kustomization, r#"kustomize build failed: unable to find field "spec.x" in replacement target"#, expect![[r#"
            K33: kustomization of <any>: key replacements NotFound
              unable to find field "spec.x" in replacement target
              own: spec.path
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
