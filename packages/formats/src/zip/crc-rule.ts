/** Rule of the finding that a record's bytes do not have the CRC-32 recorded for them. */
export const CRC_RULE = "crc-mismatch";
