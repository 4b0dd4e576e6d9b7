//! The `package.json` of the npm package.

/// By this line the packager knows a folder that it wrote.
pub(crate) const NAME_LINE: &str = "\"name\": \"vigie-player\",";

/// The whole text.
pub(crate) fn package_json() -> String {
    let (version, licence) = (env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_LICENSE"));
    let repository = env!("CARGO_PKG_REPOSITORY");
    // npm wants an SPDX expression in parentheses where there are two (docs.npmjs.com, package.json, license).
    format!(
        r#"{{
  {NAME_LINE}
  "version": "{version}",
  "description": "Web components that play IP cameras, live and recorded: RTSP over WebSocket and archive, in WebAssembly",
  "license": "({licence})",
  "repository": {{ "type": "git", "url": "git+{repository}.git", "directory": "player-wasm" }},
  "type": "module",
  "main": "./index.js",
  "types": "./index.d.ts",
  "exports": {{
    ".": {{ "types": "./index.d.ts", "default": "./index.js" }},
    "./tile.js": {{ "types": "./index.d.ts", "default": "./tile.js" }},
    "./guest.js": {{ "types": "./index.d.ts", "default": "./guest.js" }},
    "./wall.html": "./wall.html",
    "./dewarp.js": {{ "types": "./dewarp.types.d.ts", "default": "./dewarp.js" }},
    "./worker.js": "./worker.js",
    "./wasm/*": "./wasm/*",
    "./package.json": "./package.json"
  }},
  "sideEffects": ["./index.js", "./tile.js", "./guest.js", "./words.js", "./chunk-*.js"],
  "keywords": ["rtsp", "onvif", "h264", "h265", "video", "camera", "web-component"]
}}
"#
    )
}
