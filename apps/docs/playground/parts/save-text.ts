/** Saves a text as a file of the person's: exports of tables, reports, pictures of charts. */
export function saveText(name: string, type: string, text: string): void {
  saveBlob(name, new Blob([text], { type }));
}

/** Saves bytes that are in memory, or a file that is on disk already, as a download. */
export function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replace(/[\\/:*?"<>|]/g, "_");
  link.click();
  // The download has begun by then; a revoked address would stop a browser that is slow to begin.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
