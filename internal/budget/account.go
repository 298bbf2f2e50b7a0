// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package budget

// Account is what one of many holds of a Budget. It has one owner; it is not safe for
// concurrent use. The zero value has no limit.
type Account struct {
	budget *Budget
	held   int64
}

// share is which part of what is free one account may hold, as a power of two.
const share = 3

// Account gives an empty account.
func (b *Budget) Account() Account { return Account{budget: b} }

// Take takes n bytes if they are there and within what one account may hold, and
// reports whether it did.
//
// An account may hold an eighth of what is free. This is a dynamic threshold (Choudhury
// and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998): a single account can get a
// ninth of the budget, and the more of them want much at a time the less each gets, so that
// something stays free for those who want little.
func (a *Account) Take(n int) bool {
	if !a.fits(n) || !a.budget.Take(n) {
		return false
	}
	a.held += int64(n)
	return true
}

// fits reports whether the account may hold n bytes more.
func (a *Account) fits(n int) bool {
	b := a.budget
	return b == nil || n <= 0 || a.held+int64(n) <= b.free()>>share
}

// Give gives n bytes back.
func (a *Account) Give(n int) {
	a.held -= int64(n)
	a.budget.Give(n)
}

// Held is the number of bytes that the account has taken.
func (a *Account) Held() int { return int(a.held) }
