// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// callOfRecord reads the log record of a call: everything is in it, the whole
// payload too.
func callOfRecord(resource pcommon.Resource, record plog.LogRecord) call {
	attrs := record.Attributes()
	x := call{time: record.Timestamp().AsTime().Local(), side: sideOf(attrs)}
	x.describe(resource.Attributes(), attrs)
	x.request = messageOf("request", record.Body(), attrs)
	x.response = messageOf("response", record.Body(), attrs)
	return x
}

// sideOf infers the side where a record does not say it: from what the HTTP
// conventions require of each, else from the ports.
func sideOf(attrs pcommon.Map) side {
	switch str(attrs, keySide) {
	case "client":
		return clientSide
	case "server":
		return serverSide
	}
	switch local := str(attrs, keyLocalPort); {
	case has(attrs, keyURLFull):
		return clientSide
	case has(attrs, keyURLPath):
		return serverSide
	case local == "":
		return unknownSide
	case local == str(attrs, keyClientPort):
		return clientSide
	case local == str(attrs, keyServerPort):
		return serverSide
	}
	return unknownSide
}

func has(m pcommon.Map, key string) bool {
	_, ok := m.Get(key)
	return ok
}
