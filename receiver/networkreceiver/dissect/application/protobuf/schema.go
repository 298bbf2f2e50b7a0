// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package protobuf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	// maxLearnt bounds the files that are learnt from traffic, and maxFile one of them.
	maxLearnt = 1024
	maxFile   = 1 << 20
)

// Schema knows the types of methods. It is safe for concurrent use; reading takes no
// lock. The zero value knows nothing.
type Schema struct {
	known atomic.Pointer[known]

	mu      sync.Mutex // of those who add
	files   protoregistry.Files
	waiting map[string]*descriptorpb.FileDescriptorProto // whose imports are not known yet
	learnt  int
}

// known is what is known at one time.
type known struct{ methods map[string]method }

type method struct {
	input, output protoreflect.MessageDescriptor
}

// Load adds the files of a descriptor set, as protoc --include_imports
// --descriptor_set_out writes it.
func (s *Schema) Load(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read descriptor set: %w", err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		return fmt.Errorf("parse descriptor set %s: %w", path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, file := range set.GetFile() {
		s.wait(file)
	}
	s.settle()
	if len(s.waiting) > 0 {
		return fmt.Errorf("descriptor set %s lacks imports: was it made with --include_imports?", path)
	}
	return nil
}

// Learn adds a file that a server has told of itself, a FileDescriptorProto. What is
// known already is not replaced. What comes from traffic may be wrong: then it is left
// out.
func (s *Schema) Learn(b []byte) {
	if s == nil || len(b) > maxFile {
		return
	}
	file := &descriptorpb.FileDescriptorProto{}
	if proto.Unmarshal(b, file) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.learnt >= maxLearnt {
		return
	}
	s.learnt++
	s.wait(file)
	s.settle()
}

func (s *Schema) wait(file *descriptorpb.FileDescriptorProto) {
	if _, err := s.files.FindFileByPath(file.GetName()); err == nil {
		return
	}
	if s.waiting == nil {
		s.waiting = map[string]*descriptorpb.FileDescriptorProto{}
	}
	s.waiting[file.GetName()] = file
}

// settle registers the files whose imports are all there.
func (s *Schema) settle() {
	added := false
	for again := true; again; {
		again = false
		for name, file := range s.waiting {
			d, err := protodesc.NewFile(file, resolver{&s.files})
			if err != nil {
				continue
			}
			delete(s.waiting, name)
			if s.files.RegisterFile(d) == nil {
				again, added = true, true
			}
		}
	}
	if added {
		s.known.Store(s.collect())
	}
}

// resolver also knows the files that come with protobuf itself.
type resolver struct{ *protoregistry.Files }

func (r resolver) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if d, err := r.Files.FindFileByPath(path); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := r.Files.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}

func (s *Schema) collect() *known {
	k := &known{methods: map[string]method{}}
	s.files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		services := f.Services()
		for i := range services.Len() {
			service := services.Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				k.methods[string(service.FullName())+"/"+string(m.Name())] = method{m.Input(), m.Output()}
			}
		}
		return true
	})
	return k
}

// Knows reports whether a method ("pkg.Service/Method") is in the schema.
func (s *Schema) Knows(name string) bool {
	if s == nil {
		return false
	}
	k := s.known.Load()
	if k == nil {
		return false
	}
	_, ok := k.methods[strings.TrimPrefix(name, "/")]
	return ok
}

// JSON shows a message of a method ("pkg.Service/Method"): by the schema if that knows
// the method and the message agrees with it, else as a [Tree]. ok is false where b is no
// message.
func (s *Schema) JSON(name string, response bool, b []byte) (text []byte, ok bool) {
	if s != nil {
		if k := s.known.Load(); k != nil {
			if m, known := k.methods[strings.TrimPrefix(name, "/")]; known {
				if text, ok = m.json(response, b); ok {
					return text, true
				}
			}
		}
	}
	return Tree(b)
}

func (m *method) json(response bool, b []byte) (text []byte, ok bool) {
	d := m.input
	if response {
		d = m.output
	}
	message := dynamicpb.NewMessage(d)
	if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, message) != nil {
		return nil, false
	}
	marshalled, err := protojson.MarshalOptions{AllowPartial: true, UseProtoNames: true}.Marshal(message)
	if err != nil {
		return nil, false
	}
	// protojson puts in spaces at random.
	var out bytes.Buffer
	if json.Compact(&out, marshalled) != nil {
		return nil, false
	}
	return out.Bytes(), true
}
