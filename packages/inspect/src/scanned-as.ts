import { SCAN_DTYPES, type ScanDType } from "@ckptkit/core";

/** Dtypes that are scanned as another that has the same bits: complex as pairs, quantised as the integers that are stored. */
const SCANNED_AS: Readonly<Record<string, ScanDType>> = { C128: "F64", C32: "F16", QINT8: "I8", QUINT8: "U8", QINT32: "I32" };

/** The dtype as which the values of a tensor are scanned; undefined when they cannot be. */
export function scannedAs(dtype: string): ScanDType | undefined {
  return isScanDType(dtype) ? dtype : SCANNED_AS[dtype];
}

const isScanDType = (dtype: string): dtype is ScanDType => (SCAN_DTYPES as readonly string[]).includes(dtype);
