/**
 * Where an export goes. A browser that can write files (Chromium, on https or
 * on this machine) writes one, of any size, as it comes. Others collect it and
 * save it at the end, which takes memory or the browser's own disk: so it has a
 * bound there.
 */
import type { ExportSink } from "./export-entries.ts";

/** What a browser collects at the most before it saves it: more than that fails in some, without a word. */
export const blobBytesMax = 1024 * 1024 * 1024;

/** Pieces are put together to blobs of about this size, which browsers move out of the page's memory. */
const pieceBytes = 8 * 1024 * 1024;

/** The part of `showSaveFilePicker` that is used: TypeScript's DOM types do not have it. */
type SaveFilePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

/**
 * Asks where to save, where the browser can. Must be called right from a click.
 *
 * @throws DOMException AbortError when the reader chose no file.
 */
export async function openSink(name: string): Promise<ExportSink> {
  const picker: unknown = Reflect.get(globalThis, "showSaveFilePicker");
  if (typeof picker !== "function") return new BlobSink(name);
  const file = await (picker as SaveFilePicker).call(globalThis, { suggestedName: name });
  return new FileSink(await file.createWritable());
}

/** A file of the reader's. Until `close` the browser writes to another one beside it. */
class FileSink implements ExportSink {
  readonly bytesMax = Number.POSITIVE_INFINITY;
  readonly #file: FileSystemWritableFileStream;

  constructor(file: FileSystemWritableFileStream) {
    this.#file = file;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#file.write(bytes);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  abort(): Promise<void> {
    return this.#file.abort();
  }
}

/** A download of what was collected. */
export class BlobSink implements ExportSink {
  readonly bytesMax: number;
  readonly #name: string;
  readonly #save: (blob: Blob, name: string) => void;
  #blobs: Blob[] = [];
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #pending = 0;

  /** Only tests give another bound, or another way to save. */
  constructor(name: string, bytesMax = blobBytesMax, save: (blob: Blob, name: string) => void = download) {
    this.#name = name;
    this.bytesMax = bytesMax;
    this.#save = save;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pieces.push(bytes);
    this.#pending += bytes.length;
    if (this.#pending >= pieceBytes) this.#gather();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#gather();
    this.#save(new Blob(this.#blobs, { type: "application/octet-stream" }), this.#name);
    return this.abort();
  }

  abort(): Promise<void> {
    this.#blobs = [];
    this.#pieces = [];
    this.#pending = 0;
    return Promise.resolve();
  }

  #gather(): void {
    this.#blobs.push(new Blob(this.#pieces));
    this.#pieces = [];
    this.#pending = 0;
  }
}

/** The browser reads the blob some time after the click: its URL stays for a while. */
const urlMs = 60_000;

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), urlMs);
}
