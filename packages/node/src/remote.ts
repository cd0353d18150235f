// What is loaded when the first address of a server is met, and nothing else of that package.
export { openRemote, s3Sink } from "@ckptkit/remote";
