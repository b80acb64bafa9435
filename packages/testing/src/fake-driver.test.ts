import { testDriverConformance } from "./conformance.ts";
import { fakeHarness } from "./fake-harness.ts";

testDriverConformance(fakeHarness());
