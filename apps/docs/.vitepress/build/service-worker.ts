import { generateSW } from "workbox-build";

/**
 * Writes `sw.js`, which keeps the whole site for use without a network, with the playground's samples. It answers for files of this build alone: a
 * checkpoint of a person's, a range of one, or anything of another origin never goes through a cache. A new version waits until the reader takes it up.
 */
export async function writeServiceWorker(folder: string): Promise<void> {
  const { warnings } = await generateSW({
    globDirectory: folder,
    globPatterns: ["**/*.{html,js,css,wasm,svg,png,webmanifest,json}", "assets/*.{ckpt,pt,safetensors}"],
    globIgnores: ["sw.js", "hashmap.json", "404.html", "og.png"],
    swDest: `${folder}/sw.js`,
    inlineWorkboxRuntime: true,
    sourcemap: false,
    mode: "production",
    // Their names hold a digest already.
    dontCacheBustURLsMatching: /assets\//,
    maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
    // The playground keeps its state in the query; the page is the same.
    ignoreURLParametersMatching: [/./],
    cleanupOutdatedCaches: true,
    skipWaiting: false,
    clientsClaim: false,
  });
  if (warnings.length > 0) throw new Error(`The service worker is not whole: ${warnings.join(" ")}`);
}
