import { checkLimit, type Reading } from "@ckptkit/core";
import type { ChunkRecord } from "./chunk-grid.js";
import type { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/** Tells of the chunk at a place of an array. */
type Found = (place: number, record: ChunkRecord) => void;

/** What both kinds of arrays say of their elements. */
interface ArrayHead {
  readonly what: string;
  readonly elementBytes: number;
  readonly isFiltered: boolean;
  /** Elements of a page, of which large blocks consist. */
  readonly pageElements: number;
}

/** Reads one element: an address, and with filters the stored size and what was left out. */
function element(fields: Fields, { elementBytes, isFiltered }: ArrayHead): ChunkRecord | undefined {
  const end = fields.at + elementBytes;
  const address = fields.address();
  const storedBytes = isFiltered ? fields.uint(elementBytes - fields.sizes.offsetBytes - 4) : undefined;
  const mask = isFiltered ? fields.u32() : 0;
  fields.at = end;
  return address === undefined ? undefined : { address, storedBytes, mask };
}

function headOf(fields: Fields, what: string, isFiltered: boolean, elementBytes: number, pageBits: number): ArrayHead {
  const least = fields.sizes.offsetBytes + (isFiltered ? 5 : 0);
  if (elementBytes < least || elementBytes > least + 7 || pageBits > 32)
    throw fields.bad(`has elements of ${elementBytes} bytes in pages of 2^${pageBits}`);
  return { what, elementBytes, isFiltered, pageElements: 2 ** pageBits };
}

function elementsOf(fields: Fields, head: ArrayHead, first: number, count: number, found: Found): void {
  for (let index = 0; index < count; index++) {
    const record = element(fields, head);
    if (record) found(first + index, record);
  }
}

/** Reads the pages behind the head of a block, as far as they were written. */
function* pagesOf(
  file: Hdf5File,
  start: number,
  head: ArrayHead,
  range: { first: number; count: number; end: number },
  written: Uint8Array,
  found: Found,
): Reading<void> {
  const { pageElements, elementBytes, what } = head;
  for (let page = 0; page * pageElements < range.count; page++) {
    const first = range.first + page * pageElements;
    if (first >= range.end) return;
    const isWritten = Math.floor((written[Math.floor(page / 8)] ?? 0) / 2 ** (7 - (page % 8))) % 2 === 1;
    if (!isWritten) continue;
    const count = Math.min(pageElements, range.count - page * pageElements);
    const at = start + page * (pageElements * elementBytes + 4);
    elementsOf(
      yield* file.checked(at, count * elementBytes + 4, `a page of ${what}`),
      head,
      first,
      Math.min(count, range.end - first),
      found,
    );
  }
}

/**
 * The chunks of a dataset whose size cannot grow.
 *
 * @param span places that the dataset has.
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (VII.C. The Fixed Array Index)
 */
export function* readFixedArray(file: Hdf5File, address: number, span: number, found: Found): Reading<void> {
  const what = `the fixed array at ${address}`;
  const { offsetBytes, lengthBytes } = file;
  const fields = yield* file.checked(address, 12 + lengthBytes + offsetBytes, what);
  fields.signature("FAHD");
  fields.version(0);
  const isFiltered = fields.u8() === 1;
  const elementBytes = fields.u8();
  const head = headOf(fields, what, isFiltered, elementBytes, fields.u8());
  const count = fields.length();
  checkLimit(file.limits, "metadataValues", count, `Chunks in ${what} of ${file.name}`);
  const block = fields.address();
  if (block === undefined) return;
  const headBytes = 6 + offsetBytes;
  const isPaged = count > head.pageElements;
  const mapBytes = isPaged ? Math.ceil(Math.ceil(count / head.pageElements) / 8) : 0;
  const body = yield* file.checked(block, headBytes + mapBytes + (isPaged ? 0 : count * elementBytes) + 4, what);
  body.signature("FADB");
  body.version(0);
  body.skip(1 + offsetBytes);
  const range = { first: 0, count, end: Math.min(count, span) };
  if (isPaged) yield* pagesOf(file, block + body.bytes.length + 4, head, range, body.take(mapBytes), found);
  else elementsOf(body, head, 0, range.end, found);
}

/**
 * The chunks of a dataset that can grow along one axis.
 *
 * @param span places that the dataset has; blocks beyond are not looked at.
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (VII.D. The Extensible Array Index)
 */
export function* readExtensibleArray(file: Hdf5File, address: number, span: number, found: Found): Reading<void> {
  const what = `the extensible array at ${address}`;
  const { offsetBytes, lengthBytes } = file;
  const fields = yield* file.checked(address, 16 + 6 * lengthBytes + offsetBytes, what);
  fields.signature("EAHD");
  fields.version(0);
  const isFiltered = fields.u8() === 1;
  const elementBytes = fields.u8();
  const mostBits = fields.u8();
  const inIndex = fields.u8();
  const leastElements = fields.u8();
  const leastPointers = fields.u8();
  const head = headOf(fields, what, isFiltered, elementBytes, fields.u8());
  fields.skip(6 * lengthBytes);
  const indexAddress = fields.address();
  if (mostBits > 64 || !isPower(leastElements) || !isPower(leastPointers)) throw fields.bad("has sizes that make no sense");
  if (indexAddress === undefined) return;

  // Elements stand in the index block, then in data blocks; the first of these are pointed to from there, the others from super blocks.
  const supers = 1 + mostBits - Math.log2(leastElements);
  const supersInIndex = 2 * Math.log2(leastPointers);
  const direct = 2 * (leastPointers - 1);
  const placeBytes = Math.ceil(mostBits / 8);
  const blocksOf = (level: number): { blocks: number; elements: number } => ({
    blocks: 2 ** Math.floor(level / 2),
    elements: 2 ** Math.floor((level + 1) / 2) * leastElements,
  });
  const mapBytesOf = (elements: number): number => (elements > head.pageElements ? Math.ceil(elements / head.pageElements / 8) : 0);

  function* dataBlock(at: number, first: number, elements: number, written: Uint8Array): Reading<void> {
    const headBytes = 6 + offsetBytes + placeBytes;
    const isPaged = elements > head.pageElements;
    const body = yield* file.checked(at, headBytes + (isPaged ? 0 : elements * elementBytes) + 4, what);
    body.signature("EADB");
    body.version(0);
    body.skip(1 + offsetBytes + placeBytes);
    const range = { first, count: elements, end: Math.min(first + elements, span) };
    if (isPaged) yield* pagesOf(file, at + headBytes + 4, head, range, written, found);
    else elementsOf(body, head, first, range.end - first, found);
  }

  const pointers = Math.max(0, supers - supersInIndex);
  const index = yield* file.checked(indexAddress, 6 + offsetBytes + inIndex * elementBytes + (direct + pointers) * offsetBytes + 4, what);
  index.signature("EAIB");
  index.version(0);
  index.skip(1 + offsetBytes);
  const elementsEnd = index.at + inIndex * elementBytes;
  elementsOf(index, head, 0, Math.min(inIndex, span), found);
  index.at = elementsEnd;
  let first = inIndex;
  for (let level = 0; level < supers && first < span; level++) {
    const { blocks, elements } = blocksOf(level);
    let pointing: Fields = index;
    let mapBytes = 0;
    if (level >= supersInIndex) {
      const at = index.address();
      if (at === undefined) {
        first += blocks * elements;
        continue;
      }
      mapBytes = mapBytesOf(elements);
      pointing = yield* file.checked(at, 6 + offsetBytes + placeBytes + blocks * (mapBytes + offsetBytes) + 4, what);
      pointing.signature("EASB");
      pointing.version(0);
      pointing.skip(1 + offsetBytes + placeBytes);
    }
    const maps = pointing.take(blocks * mapBytes);
    for (let block = 0; block < blocks; block++, first += elements) {
      const at = pointing.address();
      if (at !== undefined && first < span) yield* dataBlock(at, first, elements, maps.subarray(block * mapBytes, (block + 1) * mapBytes));
    }
  }
}

const isPower = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));
