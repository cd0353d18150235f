import { expect, it } from "vitest";
import { checkSignature, presign } from "./signature-check.js";

// The worked examples of Amazon S3's description of Signature Version 4.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const account = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const now = Date.parse("2013-05-24T00:00:00Z");
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const host = "examplebucket.s3.amazonaws.com";
const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
const common = { host, "x-amz-content-sha256": EMPTY, "x-amz-date": "20130524T000000Z" };

const EXAMPLES = {
  "GET Object": {
    method: "GET",
    target: "/test.txt",
    headers: {
      ...common,
      range: "bytes=0-9",
      authorization: authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    },
  },
  "PUT Object": {
    method: "PUT",
    target: "/test%24file.text",
    headers: {
      ...common,
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      authorization: authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
    },
  },
  "GET Bucket Lifecycle": {
    method: "GET",
    target: "/?lifecycle",
    headers: {
      ...common,
      authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      ),
    },
  },
  "GET Bucket (List Objects)": {
    method: "GET",
    target: "/?max-keys=2&prefix=J",
    headers: {
      ...common,
      authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      ),
    },
  },
};

it.each(Object.entries(EXAMPLES))("the check of signatures accepts Amazon's example %s, and no change to it", (_, request) => {
  expect(checkSignature(request, account, "us-east-1", now)).toBeUndefined();
  expect(checkSignature({ ...request, target: `${request.target}x` }, account, "us-east-1", now)).toBe("SignatureDoesNotMatch");
  expect(checkSignature({ ...request, method: "HEAD" }, account, "us-east-1", now)).toBe("SignatureDoesNotMatch");
  expect(checkSignature(request, { ...account, secretAccessKey: "other" }, "us-east-1", now)).toBe("SignatureDoesNotMatch");
  expect(checkSignature(request, account, "eu-central-1", now)).toBe("AuthorizationHeaderMalformed");
  expect(checkSignature(request, account, "us-east-1", now + 3_600_000)).toBe("RequestTimeTooSkewed");
});

it("the check of signatures accepts Amazon's example of a signed address, until it ends, and makes the same", () => {
  const address =
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  const request = { method: "GET", target: address.slice(address.indexOf("/test.txt")), headers: { host } };
  expect(checkSignature(request, account, "us-east-1", now + 1000)).toBeUndefined();
  expect(checkSignature(request, account, "us-east-1", now + 86_401_000)).toBe("AccessDenied");
  expect(presign(`https://${host}/test.txt`, account, "us-east-1", now, 86_400)).toBe(address);
});
