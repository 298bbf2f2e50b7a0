// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package protobuf

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestTree(t *testing.T) {
	nested := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7)
	var b []byte
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), "Grüße \"x\"\n")
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 150)
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), math.MaxUint64)
	b = protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), nested)
	b = protowire.AppendBytes(protowire.AppendTag(b, 4, protowire.BytesType), []byte{0xff, 0x00})
	b = protowire.AppendFixed64(protowire.AppendTag(b, 5, protowire.Fixed64Type), math.Float64bits(1.5))
	b = protowire.AppendFixed32(protowire.AppendTag(b, 6, protowire.Fixed32Type), 5)
	b = protowire.AppendString(protowire.AppendTag(b, 7, protowire.BytesType), "")
	b = protowire.AppendGroup(protowire.AppendTag(b, 8, protowire.StartGroupType), 8, nested)
	text, ok := Tree(b)
	require.True(t, ok)
	assert.JSONEq(t, `{"1":"Grüße \"x\"\n","2":[150,-1],"3":{"1":7},"4":{"@bytes":"/wA="},"5":1.5,"6":5,"7":"","8":{"1":7}}`, string(text))

	_, ok = Tree([]byte("\x0a\x05abc"))
	assert.False(t, ok, "a field that is longer than the message")
	deep := nested
	for range 200 {
		deep = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), deep)
	}
	text, ok = Tree(deep)
	require.True(t, ok)
	assert.True(t, json.Valid(text))
	assert.Contains(t, string(text), "@bytes", "what is too deep is shown as bytes")
}

// TestSchema shows a message by a descriptor set from a file, and by files learnt in an
// order in which imports come last.
func TestSchema(t *testing.T) {
	file := &descriptorpb.FileDescriptorProto{
		Name: new("shop.proto"), Package: new("shop"), Syntax: new("proto3"),
		Dependency: []string{"order.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("Shop"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: new("Buy"), InputType: new(".shop.Order"), OutputType: new(".google.protobuf.Timestamp")},
		}}},
	}
	order := &descriptorpb.FileDescriptorProto{
		Name: new("order.proto"), Package: new("shop"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("Order"), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: new("item_name"), Number: proto.Int32(1), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), JsonName: new("itemName"),
		}}}},
		Dependency: []string{"google/protobuf/timestamp.proto"}, PublicDependency: []int32{0},
	}
	file.Dependency = append(file.Dependency, "google/protobuf/timestamp.proto")
	request := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "tea")
	response, err := proto.Marshal(&timestamppb.Timestamp{Seconds: 1})
	require.NoError(t, err)
	check := func(s *Schema) {
		t.Helper()
		text, ok := s.JSON("/shop.Shop/Buy", false, request)
		assert.True(t, ok)
		assert.Equal(t, `{"item_name":"tea"}`, string(text))
		text, ok = s.JSON("shop.Shop/Buy", true, response)
		assert.True(t, ok)
		assert.Equal(t, `"1970-01-01T00:00:01Z"`, string(text))
		assert.True(t, s.Knows("shop.Shop/Buy"))
	}

	b, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{order, file}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "shop.protoset")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	var loaded Schema
	require.NoError(t, loaded.Load(path))
	check(&loaded)

	var learnt Schema
	text, ok := learnt.JSON("shop.Shop/Buy", false, request)
	assert.True(t, ok)
	assert.Equal(t, `{"1":"tea"}`, string(text), "nothing is known yet")
	for _, f := range []*descriptorpb.FileDescriptorProto{file, order} {
		b, err := proto.Marshal(f)
		require.NoError(t, err)
		learnt.Learn(b)
		learnt.Learn(b)
	}
	check(&learnt)
	learnt.Learn([]byte("no descriptor"))

	b, err = proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	assert.ErrorContains(t, (&Schema{}).Load(path), "--include_imports")
	assert.ErrorContains(t, (&Schema{}).Load(path+"x"), "read descriptor set")
}

// FuzzTree wants JSON of whatever is taken for a message, in bounded size.
func FuzzTree(f *testing.F) {
	v, err := structpb.NewValue(map[string]any{"a": []any{1, "x", nil, map[string]any{"b": true}}})
	require.NoError(f, err)
	b, err := proto.Marshal(v)
	require.NoError(f, err)
	f.Add(b)
	b, err = proto.Marshal(protodesc.ToFileDescriptorProto(structpb.File_google_protobuf_struct_proto))
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		text, ok := Tree(b)
		if ok && !json.Valid(text) {
			t.Fatalf("no JSON: %q", text)
		}
		if len(text) > 64*(len(b)+1) {
			t.Fatalf("%d bytes of %d", len(text), len(b))
		}
		(&Schema{}).Learn(b)
	})
}
